// A command's connection to a cluster.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <functional>
#include <memory>
#include <string>

#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/rpc/keep_alive.h"

namespace twinkle::cli {

// Names a private cluster, before the pid of its program.
inline constexpr absl::string_view kPrivateCluster = "private:";

// Asks the driver and the node daemons of a cluster. Thread-safe. Each call blocks, for some seconds at
// most if nothing else is said. Errors of all calls: Unavailable: no driver answers; Unauthenticated: the token is
// wrong.
class ClusterClient {
 public:
  // Opens a connection. `driver`: HOST:PORT, or private:PID for the private cluster of a program of this user and
  // machine, which needs no token file. InvalidArgument: `driver` is empty, or TWINKLE_WIRE_LIMITS is not valid;
  // NotFound: there is no such private cluster; NotFound and others: the token file cannot be read.
  static absl::StatusOr<std::unique_ptr<ClusterClient>> Open(const std::string& driver, const std::string& token_file);

  const std::string& driver() const { return driver_; }
  // The status of the cluster.
  absl::StatusOr<v1::ClusterStatus> Status() const;
  // Ends a job. NotFound: there is no such job.
  absl::Status Stop(uint64_t job) const;
  // The processes of a job, and the ticket that they want to see from a command. NotFound: there is no such job.
  absl::StatusOr<v1::JobVisit> Visit(uint64_t job) const;
  // A process's report on itself. Unavailable: the process cannot be reached from this machine, or has just ended.
  absl::StatusOr<v1::ProcessReport> Report(const v1::Process& process, const std::string& ticket) const;
  // Passes on what the job's processes on a node print. If `wish` follows the job, blocks until the job has ended.
  // DeadlineExceeded: `wish` does not, and the node has not sent all that it keeps in time.
  absl::Status Watch(const v1::NodeDescription& node, const v1::WatchJob& wish,
                     const std::function<void(const v1::Output::Line&)>& on_line) const;

 private:
  static absl::StatusOr<std::unique_ptr<ClusterClient>> OpenPrivate(const std::string& name);
  ClusterClient(std::string driver, const std::string& target, std::string token, const rpc::KeepAlive& keep_alive);
  void Prepare(grpc::ClientContext& context) const;
  absl::Status ErrorOf(const grpc::Status& status) const;

  const std::string driver_;  // as the user named it
  const std::string token_;
  const rpc::KeepAlive keep_alive_;
  const std::unique_ptr<v1::Driver::Stub> stub_;
};

}  // namespace twinkle::cli

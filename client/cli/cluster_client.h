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

inline constexpr absl::string_view kPrivateCluster = "private:";  // before the pid of its program

// Each call blocks for some seconds at most. Unavailable: no driver answers; Unauthenticated: wrong token.
class ClusterClient {
 public:
  // HOST:PORT, or private:PID for the private cluster of a program of this user and machine, whose token is its own.
  // InvalidArgument: which driver is not said, or TWINKLE_WIRE_LIMITS says nothing; NotFound and others of the token
  // file; NotFound: no such private cluster.
  static absl::StatusOr<std::unique_ptr<ClusterClient>> Open(const std::string& driver, const std::string& token_file);

  const std::string& driver() const { return driver_; }
  absl::StatusOr<v1::ClusterStatus> Status() const;
  absl::Status Stop(uint64_t job) const;
  // The job's processes, and what they want to see of a command. NotFound: there is no such job.
  absl::StatusOr<v1::JobVisit> Visit(uint64_t job) const;
  // What a process tells of itself. Unavailable: it cannot be reached from this machine, or has just ended.
  absl::StatusOr<v1::ProcessReport> Report(const v1::Process& process, const std::string& ticket) const;
  // What the job's processes on a node print, until the job has ended if the wish says so; blocks as long.
  // DeadlineExceeded: the wish does not say so, and the node has not told all that it keeps in time.
  absl::Status Watch(const v1::NodeDescription& node, const v1::WatchJob& wish,
                     const std::function<void(const v1::Output::Line&)>& on_line) const;

 private:
  static absl::StatusOr<std::unique_ptr<ClusterClient>> OpenPrivate(const std::string& name);
  ClusterClient(std::string driver, const std::string& target, std::string token, const rpc::KeepAlive& keep_alive);
  void Prepare(grpc::ClientContext& context) const;
  absl::Status Told(const grpc::Status& status) const;

  const std::string driver_;  // as it was named
  const std::string token_;
  const rpc::KeepAlive keep_alive_;
  const std::unique_ptr<v1::Driver::Stub> stub_;
};

}  // namespace twinkle::cli

// The world of a job on a cluster: what it needs of this machine and of others. Connections, processes, files, time.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/src/cluster_placement.h"
#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/actor/accounts.h"
#include "runtime/actor/groups.h"
#include "runtime/actor/process.h"
#include "runtime/base/clock.h"

namespace twinkle::internal {

// The program's connection to the driver, for as long as the job. Thread-safe.
class JobLink {
 public:
  // Events come on any thread, one at a time, and must not block. They may come until the connection has ended, also
  // when nobody has the link any more.
  struct Events {
    std::function<void(v1::DriverToProgram)> on_message;
    std::function<void(const absl::Status&)> on_end;  // once, the last
  };
  virtual ~JobLink() = default;

  // Writes a message. Never blocks. The message is dropped once the connection has ended.
  virtual void Write(v1::ProgramToDriver message) = 0;
  // Ends the connection. A driver whose job has not ended takes that for the program's end.
  virtual void Cancel() = 0;
};

// The program as a process of its job.
struct ProgramPart {
  std::shared_ptr<actor::Process> process;
  // Asks ranks for their accounts, as Accounts::AskAll, for a limited time.
  std::function<std::vector<actor::Account>(const std::vector<rpc::ProcessId>&, bool close)> ask;
  // A process is gone, of this job or of another that it knows.
  std::function<void(rpc::ProcessId, const absl::Status&)> lose;
};

// What a job does with the world, in this order. For one thread at a time: the one that starts the job, then the one
// that ends it. But for the last three, each function is called at most once; some are left out in a job that does not
// come so far.
class JobWorld {
 public:
  virtual ~JobWorld() = default;

  // Finds the driver, and says which it is, for people: "at gpu-1:7077". If none is named, starts a cluster for this
  // session. InvalidArgument, NotFound, PermissionDenied: what names it, or its token, is none. ResourceExhausted.
  // Unavailable.
  virtual absl::StatusOr<std::string> FindDriver() = 0;
  // Connects to the driver. Unavailable: it does not answer in time.
  virtual absl::StatusOr<std::shared_ptr<JobLink>> Connect(JobLink::Events events) = 0;
  // Listens for the job's other processes. Says where, and what other nodes need of the program's files, which it
  // reads.
  virtual absl::StatusOr<v1::ProgramListens> Listen(const v1::JobPlaced& placed) = 0;
  // Makes the program a process of its job, and from then on shows what the ranks print. Processes that were lost
  // meanwhile are told later.
  virtual absl::StatusOr<ProgramPart> Join(const v1::JobPlaced& placed, const v1::JobPeers& peers,
                                           const std::vector<actor::GroupInfo>& groups, EndGroup end_group) = 0;
  // Blocks until what the ranks have printed is shown, or the deadline, or a little longer while there is more.
  virtual void AwaitOutput(base::Instant deadline) = 0;
  // The job has ended. Blocks until a cluster that was started for it has, too.
  virtual void End() = 0;

  // Checks the services that were started for this session. Unavailable: one of them has ended.
  virtual absl::Status CheckServices() = 0;
  virtual base::Instant Now() const = 0;
  // Blocks until the deadline, or until the link has had an event since this last returned; or less long, where
  // services are to be checked.
  virtual void AwaitNews(base::Instant deadline) = 0;
};

}  // namespace twinkle::internal

// What a job on a cluster needs of this machine and of others: connections, processes, files, time.
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
  // On any thread, one at a time; they must not block. They may come until the connection has ended, also when nobody
  // has the link any more.
  struct Events {
    std::function<void(v1::DriverToProgram)> on_message;
    std::function<void(const absl::Status&)> on_end;  // once, the last
  };
  virtual ~JobLink() = default;

  // Never blocks; dropped once the connection has ended.
  virtual void Write(v1::ProgramToDriver message) = 0;
  // Ends it. A driver whose job has not ended takes that for the program's end.
  virtual void Cancel() = 0;
};

// The program as a process of its job.
struct ProgramPart {
  std::shared_ptr<actor::Process> process;
  // As Accounts::AskAll, for a limited time.
  std::function<std::vector<actor::Account>(const std::vector<rpc::ProcessId>&, bool close)> ask;
  // A process is gone, of this job or of another that it knows.
  std::function<void(rpc::ProcessId, const absl::Status&)> lose;
};

// For the thread that starts a job, and then for the one that ends it. The functions are called in this order, but for
// the last three, at most once each; some are left out in a job that does not come so far.
class JobWorld {
 public:
  virtual ~JobWorld() = default;

  // Which driver it is, for people: "at gpu-1:7077"; without one that is named a cluster for this session is started.
  // InvalidArgument, NotFound, PermissionDenied: what names it, or its token, is none. ResourceExhausted. Unavailable.
  virtual absl::StatusOr<std::string> FindDriver() = 0;
  // Unavailable: it does not answer in time.
  virtual absl::StatusOr<std::shared_ptr<JobLink>> Connect(JobLink::Events events) = 0;
  // Listens for the job's other processes; says where, and what other nodes need of the program's files. Reads them.
  virtual absl::StatusOr<v1::ProgramListens> Listen(const v1::JobPlaced& placed) = 0;
  // Takes part; from then on shows what the ranks print. The processes that were lost meanwhile it hears of later.
  virtual absl::StatusOr<ProgramPart> Join(const v1::JobPlaced& placed, const v1::JobPeers& peers,
                                           const std::vector<actor::GroupInfo>& groups, EndGroup end_group) = 0;
  // Blocks until what the ranks have printed is shown, or the deadline, or a little longer while there is more.
  virtual void AwaitOutput(base::Instant deadline) = 0;
  // The job has ended. Blocks until a cluster that was started for it has, too.
  virtual void End() = 0;

  // Unavailable: part of a cluster that was started for this session has ended.
  virtual absl::Status CheckServices() = 0;
  virtual base::Instant Now() const = 0;
  // Blocks until the deadline, or until the link has had an event since this last returned; or less long, where
  // services are to be checked.
  virtual void AwaitNews(base::Instant deadline) = 0;
};

}  // namespace twinkle::internal

// A worker process between its node daemon, which says what to do, and its part in the job.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <memory>

#include "client/src/cluster_placement.h"
#include "client/src/session_state.h"
#include "client/src/worker_session.h"
#include "proto/twinkle/v1/local.pb.h"
#include "runtime/actor/process.h"
#include "runtime/base/mutex.h"
#include "runtime/rpc/fd_channel.h"

namespace twinkle::internal {

// A worker process's part in the job: the process that has its components, and how that hears of the others.
struct Membership {
  v1::Endpoint endpoint;  // where the others reach it
  std::shared_ptr<actor::Process> process;
  std::function<void(const v1::Process&)> introduce;  // one of the job's, itself among them
  std::function<void(const v1::PeersLost&)> lose;
};

// Joins the job as the daemon has said: over gRPC, or in tests as these like it.
using JoinJob =
    std::function<absl::StatusOr<Membership>(const v1::WorkerRole&, const WorkerSession&, EndGroup end_group)>;

// Carries out what the daemon says. For the process's main thread, which it blocks. Invariants:
//  WK1 the daemon hears where this process listens once, when its session is there: whatever others want of it then can
//      be done. It hears nothing of one that could not join;
//  WK2 what the daemon says is carried out in its order, until it says stop, or is gone;
//  WK3 after a stop the process has ended: its objects are destroyed, unless threads were left in user code. Without a
//      daemon nothing is ended: whoever called ends all of this process at once.
class Worker {
 public:
  // `fd`: the role's descriptor, which outlives this. The worker outlives what it has joined with.
  Worker(int fd, JoinJob join) : fd_(fd), reader_(fd), join_(std::move(join)) {}

  // Waits to be told who it is, and joins. Unavailable: the daemon is gone. Internal, InvalidArgument: the daemon did
  // not say what it was to. Other errors: why it could not join.
  absl::Status Begin();
  // Serves until the job ends (OK). Unavailable: the daemon is gone.
  absl::Status Serve();
  // Whether threads are still in user code, which exit handlers would run under. REQUIRES: Serve gave OK.
  bool left_threads() const;

 private:
  class Job;
  absl::Status Join(const v1::WorkerRole& role);
  void Tell(const v1::FromWorker& message);

  const int fd_;
  rpc::MessageReader reader_;
  const JoinJob join_;
  base::Mutex writing_;  // one message at a time
  Membership membership_;
  const Job* job_ = nullptr;  // the session's
  std::shared_ptr<SessionState> session_;
};

}  // namespace twinkle::internal

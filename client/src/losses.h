// Losses: what the driver says is lost of a program's job.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/base/log.h"
#include "runtime/base/mutex.h"
#include "runtime/object/failure_log.h"
#include "runtime/rpc/transport.h"

namespace twinkle::internal {

// Carries losses out, and remembers those that come before the job runs. Thread-safe. Invariants:
//  LO1 every loss reaches the transport, also one that was told before there was any;
//  LO2 a loss that no process of the job has asked for is a failure: it is logged at once, and in the failure log
//      before a call fails of it. So Finish gives it, unless somebody has looked at such a call.
class Losses {
 public:
  struct Job {
    uint64_t number = 0;
    std::vector<v1::Process> processes;  // its worker processes
    std::shared_ptr<object::FailureLog> failures;
    std::function<void(rpc::ProcessId, const absl::Status&)> lose;
  };

  // Processes are lost: of this job, or of another that it knows.
  void OnLost(v1::PeersLost lost);
  // All processes of the job are lost.
  void OnJobLost(const absl::Status& why);

  // The job runs: carries out what was lost before.
  void Begin(Job job);
  // Nothing is told to the job any more.
  void End();

  // The level at which a loss is logged: a job that ends with its program's session is no warning to others.
  static base::LogLevel LevelOf(const Job& job, const v1::PeersLost& lost);

 private:
  static void Carry(const Job& job, const v1::PeersLost& lost);
  static void CarryAll(const Job& job, const absl::Status& why);

  base::Mutex mutex_;
  std::shared_ptr<const Job> job_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::PeersLost> earlier_ ABSL_GUARDED_BY(mutex_);  // before there was a job
  std::optional<absl::Status> job_lost_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::internal

// Collectives: what a process knows of the communicators of its ranks' calls.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/base/mutex.h"
#include "runtime/base/recent.h"
#include "runtime/collective/meeting.h"

namespace twinkle::collective {

// Thread-safe; where it says so, on one queue only, on which packets arrive. Invariants:
//  CL1 what comes for a call that is still to begin here, or has not used the communicator yet, is kept until it does;
//  CL2 what comes for a call that is over here is dropped; who waits for something is told;
//  CL3 nothing is kept of a call after its end, but how it failed, for a while.
class Collectives {
 public:
  // What becomes of the call that a packet is of. On the queue.
  enum class CallState : uint8_t { kOpen, kOver };
  using StateOf = std::function<CallState(const Packet& packet)>;

  // `wire` outlives it.
  Collectives(Wire* wire, StateOf state_of, const Meeting::Options& options = {})
      : wire_(*wire), state_of_(std::move(state_of)), options_(options) {}

  // The meeting of a communicator in the call that runs. Idempotent.
  std::shared_ptr<Meeting> Open(const MeetingKey& key, const RunningMethod& method, const Members& members);

  // Whether any call has to do with it. Cheap.
  bool busy() const { return busy_.load(std::memory_order_acquire); }

  // ---- on the queue
  void OnPacket(rpc::ProcessId from, Packet packet);
  // Of a process that is gone; `why`: OK when it left as it should.
  void OnLost(rpc::ProcessId process, const absl::Status& why);
  // A call has ended here, and those before it. REQUIRES: before StateOf says so of another packet.
  void OnCallOver(uint64_t component, uint64_t epoch, const absl::Status& outcome);

 private:
  using Early = std::vector<std::pair<rpc::ProcessId, Packet>>;

  void TellLeft(rpc::ProcessId to, const Packet& packet, const absl::Status& outcome);
  void SetBusy() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Wire& wire_;
  const StateOf state_of_;
  const Meeting::Options options_;
  std::atomic<bool> busy_ = false;  // written under the lock

  base::Mutex mutex_;
  absl::flat_hash_map<MeetingKey, std::shared_ptr<Meeting>> meetings_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<MeetingKey, Early> early_ ABSL_GUARDED_BY(mutex_);
  base::Recent<rpc::ProcessId, absl::Status> lost_ ABSL_GUARDED_BY(mutex_){4096};
  base::Recent<std::pair<uint64_t, uint64_t>, absl::Status> failed_{256};  // calls; on the queue
};

}  // namespace twinkle::collective

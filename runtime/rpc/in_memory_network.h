// Processes that are in truth one: frames go from queue to queue, buffers by reference.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include "runtime/base/executor.h"
#include "runtime/base/mutex.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// Thread-safe. Outlives its transports.
class InMemoryNetwork {
 public:
  InMemoryNetwork() = default;
  InMemoryNetwork(const InMemoryNetwork&) = delete;
  InMemoryNetwork& operator=(const InMemoryNetwork&) = delete;

  // `receiver` is called on `queue`; both must stay until the transport is closed and the queue has run out or is
  // closed.
  std::unique_ptr<Transport> Join(ProcessId self, Receiver* receiver, base::TaskQueue* queue);

  // All are about to leave: from now on nobody is told who does, which would be a word from each to each.
  void End();

  // As if the process had died: everybody else hears it, nothing reaches it any more.
  void Kill(ProcessId process, const absl::Status& why);

  // For tests of races: frames of that stream wait until Release. Other streams go on.
  void Hold(ProcessId from, ProcessId to, Stream stream);
  void Release(ProcessId from, ProcessId to, Stream stream);

 private:
  class Port;
  struct Member {  // of a process that is there
    Receiver* receiver;
    base::TaskQueue* queue;
    std::shared_ptr<std::atomic<bool>> open;  // also asked by frames on their way, which a close overtakes
  };
  using Route = std::tuple<ProcessId, ProcessId, Stream>;

  absl::Status Send(ProcessId from, ProcessId to, Stream stream, Frame frame);
  void Deliver(const Route& route, Frame frame) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Leave(ProcessId process, const absl::Status& why);
  void Part(ProcessId self, ProcessId peer, const absl::Status& why);
  bool AreParted(ProcessId a, ProcessId b) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void TellLoss(const Member& member, ProcessId peer, const absl::Status& why);
  void DropWaiting(const std::function<bool(ProcessId from, ProcessId to)>& concerned)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  base::Mutex mutex_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<ProcessId, Member> members_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<ProcessId, absl::Status> gone_ ABSL_GUARDED_BY(mutex_);
  std::set<std::pair<ProcessId, ProcessId>> parted_ ABSL_GUARDED_BY(mutex_);  // lost to each other; the lower id first
  std::set<Route> held_ ABSL_GUARDED_BY(mutex_);
  std::map<Route, std::deque<Frame>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::rpc

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
#include <vector>

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

  // The process is there from now on, for others to send to.
  std::unique_ptr<Transport> Join(ProcessId self);

  // All are about to leave: from now on nobody is told who does, which would be a word from each to each.
  void End();

  // As if the process had died: everybody else hears it, nothing reaches it any more.
  void Kill(ProcessId process, const absl::Status& why);

  // For tests of races: frames of that stream wait until Release. Other streams go on.
  void Hold(ProcessId from, ProcessId to, Stream stream);
  void Release(ProcessId from, ProcessId to, Stream stream);

 private:
  class Port;
  // Of a process that is there. Also what is on its way to it has this, and a close overtakes that.
  struct Member {
    std::atomic<bool> open = true;
    Receiver* receiver = nullptr;      // once it has started
    base::TaskQueue* queue = nullptr;  // with the network's lock
    std::vector<base::Task> early;     // with the network's lock: what came before that
  };
  using Route = std::tuple<ProcessId, ProcessId, Stream>;

  absl::Status Send(ProcessId from, ProcessId to, Stream stream, Frame frame);
  void Start(ProcessId self, Receiver* receiver, base::TaskQueue* queue);
  void Deliver(const Route& route, Frame frame) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Leave(ProcessId process, const absl::Status& why);
  void Part(ProcessId self, ProcessId peer, const absl::Status& why);
  bool AreParted(ProcessId a, ProcessId b) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void Post(Member& member, base::Task task);
  static void TellLoss(const std::shared_ptr<Member>& member, ProcessId peer, const absl::Status& why);
  void DropWaiting(const std::function<bool(ProcessId from, ProcessId to)>& concerned)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  base::Mutex mutex_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<ProcessId, std::shared_ptr<Member>> members_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<ProcessId, absl::Status> gone_ ABSL_GUARDED_BY(mutex_);
  std::set<std::pair<ProcessId, ProcessId>> parted_ ABSL_GUARDED_BY(mutex_);  // lost to each other; the lower id first
  std::set<Route> held_ ABSL_GUARDED_BY(mutex_);
  std::map<Route, std::deque<Frame>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::rpc

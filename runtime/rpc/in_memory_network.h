// A network in memory, for "processes" that are threads of one process. Frames go from queue to queue, and buffers are
// passed by reference.
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

// A network whose members are connected by Transports. Thread-safe. It must outlive its transports. It never loses a
// connection by itself: a member is lost by its Close, by Kill, or by Lose.
class InMemoryNetwork {
 public:
  InMemoryNetwork() = default;
  InMemoryNetwork(const InMemoryNetwork&) = delete;
  InMemoryNetwork& operator=(const InMemoryNetwork&) = delete;

  // Adds a process, to which others can send from now on, and returns its transport.
  std::unique_ptr<Transport> Join(ProcessId self);

  // Announces that all processes are about to leave. From now on no process is told of another's end, which would be a
  // message for each pair.
  void End();

  // Removes a process as if it had died: all others hear OnLost with `why`, and nothing reaches it any more.
  void Kill(ProcessId process, const absl::Status& why);

  // Holds frames of one stream back until Release, for tests of races. Other streams go on.
  void Hold(ProcessId from, ProcessId to, Stream stream);
  void Release(ProcessId from, ProcessId to, Stream stream);

 private:
  class Port;
  // A process of the network. Frames on their way to it share the member, so that its end drops them.
  struct Member {
    std::atomic<bool> open = true;
    Receiver* receiver = nullptr;      // null before Start
    base::TaskQueue* queue = nullptr;  // null before Start; guarded by the network's lock
    std::vector<base::Task> early;     // tasks that arrived before Start; guarded by the network's lock
  };
  using Route = std::tuple<ProcessId, ProcessId, Stream>;

  // Errors as Transport::Send.
  absl::Status Send(ProcessId from, ProcessId to, Stream stream, Frame frame);
  void Start(ProcessId self, Receiver* receiver, base::TaskQueue* queue);
  void Deliver(const Route& route, Frame frame) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Removes a process, by its own wish or by Kill, and tells the others.
  void Leave(ProcessId process, const absl::Status& why);
  // Ends the connection of two processes (Transport::Lose), and tells both.
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
  // Pairs that are lost to each other; the lower id is first.
  std::set<std::pair<ProcessId, ProcessId>> parted_ ABSL_GUARDED_BY(mutex_);
  std::set<Route> held_ ABSL_GUARDED_BY(mutex_);                        // streams that Hold has stopped
  std::map<Route, std::deque<Frame>> waiting_ ABSL_GUARDED_BY(mutex_);  // frames on those
};

}  // namespace twinkle::rpc

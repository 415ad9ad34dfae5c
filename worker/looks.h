// Looks at this node's processes now and then: whether they are stopped.
#pragma once

#include <absl/time/time.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "worker/awake_timers.h"
#include "worker/glance.h"
#include "worker/side_threads.h"

namespace twinkle::worker {

// Confined to the loop's thread; the kernel is asked on a thread of its own, which a look has while it lasts.
// Invariants:
//  K1 one look at a time: one that hangs keeps nobody but the next one from being made;
//  K2 while there is nobody to look at nothing waits and nothing is asked;
//  K3 the more there are to look at, the longer is the pause: a thousand processes cost less than a hundredth of
//     a processor.
class Looks {
 public:
  using Pids = std::vector<std::pair<uint64_t, pid_t>>;      // with the caller's names of the processes
  using Glances = std::vector<std::pair<uint64_t, Glance>>;  // of those of which something is known
  struct Events {
    std::function<Pids()> whom;                               // that are there now
    std::function<void(const Glances&, base::Instant)> seen;  // and the time awake
  };
  // Asks the kernel. Blocks as that does; on any thread.
  using Ask = std::function<Glances(const Pids&)>;
  static Glances AskKernel(const Pids& pids);

  // What is pointed to outlives it, and it outlives what `timers` and `threads` still run on the loop.
  Looks(absl::Duration interval, AwakeTimers* timers, SideThreads* threads, Events events, Ask ask = &AskKernel);
  Looks(const Looks&) = delete;
  Looks& operator=(const Looks&) = delete;

  // Somebody is there to be looked at.
  void Begin();

 private:
  void LookIn(absl::Duration pause);
  void Look();

  const absl::Duration interval_;
  AwakeTimers& timers_;
  SideThreads& threads_;
  const Events events_;
  const Ask ask_;
  bool looking_ = false;
};

}  // namespace twinkle::worker

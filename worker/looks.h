// Periodic looks at this node's processes, which tell whether they are stopped.
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

// Looks at all running processes at an interval. Confined to the loop's thread; a look reads from the kernel on a side
// thread of its own. Invariants:
//  LK1 one look at a time: a look that hangs delays the next look and nothing else;
//  LK2 while there are no processes, no timer waits and nothing is read;
//  LK3 the pause grows with the number of processes: looks at a thousand processes take less than a hundredth of a
//      processor.
class Looks {
 public:
  // Processes to look at: the caller's key of each, and its pid.
  using Pids = std::vector<std::pair<uint64_t, pid_t>>;
  // What a look has found of each process, by the caller's key. Processes of which nothing is known are left out.
  using Glances = std::vector<std::pair<uint64_t, Glance>>;
  struct Events {
    std::function<Pids()> running;                                  // the processes to look at now
    std::function<void(const Glances&, base::Instant)> on_glances;  // with the time awake
  };
  // Looks at processes. Blocks as the kernel does; runs on a side thread.
  using Ask = std::function<Glances(const Pids&)>;
  static Glances AskKernel(const Pids& pids);

  // What is pointed to must outlive this object, which must outlive what `timers` and `threads` still run on the loop.
  Looks(absl::Duration interval, AwakeTimers* timers, SideThreads* threads, Events events, Ask ask = &AskKernel);
  Looks(const Looks&) = delete;
  Looks& operator=(const Looks&) = delete;

  // Begins to look, unless it does already: a process has started.
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

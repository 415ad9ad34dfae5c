// Threads for work that may hang.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "runtime/base/executor.h"
#include "runtime/base/mutex.h"

namespace twinkle::worker {

// Runs each piece of work on a thread of its own, which ends with the work: storage that hangs stops one piece of work
// and nothing else. Thread-safe. The destructor waits for nobody: work that hangs is left behind, so work must own all
// that it uses.
class SideThreads {
 public:
  // Posts a task to the loop. May be called on any thread, and after the loop's end (then it does nothing).
  using Post = std::function<void(base::Task)>;

  SideThreads(base::Executor* executor, Post post);
  ~SideThreads();
  SideThreads(const SideThreads&) = delete;
  SideThreads& operator=(const SideThreads&) = delete;

  // Runs `work` on a thread of that name, then `done` on the loop. ResourceExhausted: there is no thread to be had, and
  // nothing runs.
  absl::Status Run(
      const std::string& name, base::Task work, base::Task done = [] {});
  // The number of pieces of work whose `done` has not run yet.
  size_t running() const;

 private:
  struct State {
    base::Mutex mutex;
    std::map<uint64_t, std::unique_ptr<base::TaskQueue>> threads ABSL_GUARDED_BY(mutex);
    uint64_t next ABSL_GUARDED_BY(mutex) = 1;
    bool closed ABSL_GUARDED_BY(mutex) = false;
  };
  // On the loop.
  static void OnWorkDone(State& state, uint64_t id, base::Task& done);

  base::Executor& executor_;
  const Post post_;
  const std::shared_ptr<State> state_;  // shared with the work
};

}  // namespace twinkle::worker

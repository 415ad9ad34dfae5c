// Work that may hang, on threads of its own.
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

// Each piece of work has a thread, which ends with it: storage that hangs stops the piece that met it and nothing else.
// Thread-safe. Work owns what it uses: a piece that hangs is left behind by the destructor, which waits for nobody.
class SideThreads {
 public:
  // Runs a task on the loop; from any thread, and after the loop's end (then it does nothing).
  using Post = std::function<void(base::Task)>;

  SideThreads(base::Executor* executor, Post post);
  ~SideThreads();
  SideThreads(const SideThreads&) = delete;
  SideThreads& operator=(const SideThreads&) = delete;

  // Runs `work` on a thread of that name, then `done` on the loop. ResourceExhausted: no thread can be had; nothing
  // runs then.
  absl::Status Run(
      const std::string& name, base::Task work, base::Task done = [] {});
  // How many pieces have not come back.
  size_t running() const;

 private:
  struct State {
    base::Mutex mutex;
    std::map<uint64_t, std::unique_ptr<base::TaskQueue>> threads ABSL_GUARDED_BY(mutex);
    uint64_t next ABSL_GUARDED_BY(mutex) = 1;
    bool closed ABSL_GUARDED_BY(mutex) = false;
  };
  // On the loop.
  static void CameBack(State& state, uint64_t id, base::Task& done);

  base::Executor& executor_;
  const Post post_;
  const std::shared_ptr<State> state_;  // shared with the work
};

}  // namespace twinkle::worker

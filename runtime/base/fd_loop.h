// An event loop: one thread that waits for descriptors, tasks and timers.
#pragma once

#include <absl/time/time.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/mutex.h"

namespace twinkle::base {

// Runs handlers, tasks and timers one at a time on the thread that is in Run. Post, PostAfter and Stop are thread-safe.
// The other functions are confined to the loop's thread, or must be called before Run.
class FdLoop {
 public:
  using OnReady = std::function<void()>;

  FdLoop();
  ~FdLoop();
  FdLoop(const FdLoop&) = delete;
  FdLoop& operator=(const FdLoop&) = delete;

  // Runs `readable` whenever the descriptor can be read, or its other end is gone.
  void Watch(int fd, OnReady readable);
  // Runs `writable` once, when the descriptor can be written to. The descriptor must be watched.
  void WaitWritable(int fd, OnReady writable);
  // Ends the watch of a descriptor; no handler of it runs any more. Must be called before the descriptor is closed.
  void Forget(int fd);

  // Runs a task on the loop; PostAfter: once `delay` has passed.
  void Post(Task task);
  void PostAfter(absl::Duration delay, Task task);

  // Runs until Stop.
  void Run();
  void Stop();

 private:
  struct Watched {
    OnReady readable;
    OnReady writable;
  };
  void Wake();
  void Update(int fd, bool writable);
  void RunReady(int fd, uint32_t events);
  // Runs the tasks and timers that are due. Returns the milliseconds until the next timer; -1: there is none.
  int RunDue();

  const int epoll_;
  const int wake_;
  std::map<int, std::shared_ptr<Watched>> watched_;
  std::atomic<bool> stopped_ = false;

  Mutex mutex_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  std::multimap<Instant, Task> timers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::base

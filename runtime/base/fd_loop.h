// One thread that waits for descriptors, tasks and timers.
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

// Everything runs on the thread that is in Run, one thing at a time. Post, PostAfter and Stop are thread-safe; the
// other functions are for that thread, or for before Run.
class FdLoop {
 public:
  using OnReady = std::function<void()>;

  FdLoop();
  ~FdLoop();
  FdLoop(const FdLoop&) = delete;
  FdLoop& operator=(const FdLoop&) = delete;

  // `readable` runs whenever there is something to read, or the other side is gone.
  void Watch(int fd, OnReady readable);
  // `writable` runs once, when the descriptor, which is watched, takes more.
  void WaitWritable(int fd, OnReady writable);
  // Before the descriptor is closed. Nothing runs for it any more.
  void Forget(int fd);

  void Post(Task task);
  void PostAfter(absl::Duration delay, Task task);

  // Until Stop.
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
  // Runs what is due; how long until more is, in ms, -1: nothing waits.
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

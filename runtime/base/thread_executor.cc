#include <absl/strings/str_cat.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdint>
#include <system_error>
#include <thread>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/mutex.h"
#include "runtime/base/shared_queue.h"
#include "runtime/base/task_list.h"
#include "runtime/base/wait_helper.h"

namespace twinkle::base {
namespace {

// The state that a queue shares with its thread, which outlives an abandoned queue.
struct Shared {
  Mutex mutex;
  CondVar changed;
  TaskList list ABSL_GUARDED_BY(mutex);
  bool closed ABSL_GUARDED_BY(mutex) = false;
  bool sleeping ABSL_GUARDED_BY(mutex) = false;               // the thread sleeps
  std::shared_ptr<WaitHelper> helper ABSL_GUARDED_BY(mutex);  // the helper in which the thread waits
  std::atomic<uint64_t> changes = 0;

  void Changed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    ++changes;
    if (sleeping) changed.SignalAll();
    if (helper != nullptr) helper->Wake();
  }
  // Takes the next task, or an empty one if the queue was closed. False: there is nothing to do. Due timers go behind
  // the tasks that wait already.
  bool Take(Task* task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (closed) return true;
    if (!list.timers.empty()) list.TakeDue(Now());
    if (list.tasks.empty()) return false;
    *task = list.Pop();
    return true;
  }
};

// Waits in the helper for a task, a timer, or the end.
void HelpUntilChanged(Shared& shared) {
  const std::shared_ptr<WaitHelper> helper = TheWaitHelper();
  if (helper == nullptr) return;
  Instant deadline;
  uint64_t seen = 0;
  {
    MutexLock lock(&shared.mutex);
    if (shared.closed || !shared.list.tasks.empty()) return;
    shared.helper = helper;
    deadline = shared.list.NextTimer();
    seen = shared.changes;
  }
  helper->Help([&shared, seen] { return shared.changes != seen; }, deadline);
  MutexLock lock(&shared.mutex);
  shared.helper = nullptr;
}

Task Next(Shared& shared, bool helps) {
  Task task;
  {
    MutexLock lock(&shared.mutex);
    if (shared.Take(&task)) return task;
  }
  if (helps) HelpUntilChanged(shared);
  MutexLock lock(&shared.mutex);
  shared.sleeping = true;
  while (!shared.Take(&task)) shared.changed.WaitWithDeadline(&shared.mutex, shared.list.NextTimer());
  shared.sleeping = false;
  return task;
}

class ThreadQueue final : public TaskQueue {
 public:
  ThreadQueue(const std::string& name, bool helps) : shared_(std::make_shared<Shared>()) {
    thread_ = std::thread([shared = shared_, helps, short_name = name.substr(0, 15)] {
      pthread_setname_np(pthread_self(), short_name.c_str());
      while (Task task = Next(*shared, helps)) task();
    });
    id_ = thread_.get_id();
  }
  ~ThreadQueue() override { Close(); }

  bool Post(Task task) override {
    MutexLock lock(&shared_->mutex);
    if (shared_->closed) return false;
    shared_->list.tasks.push_back(std::move(task));
    shared_->Changed();
    return true;
  }

  void PostAfter(absl::Duration delay, Task task) override {
    MutexLock lock(&shared_->mutex);
    if (shared_->closed) return;
    shared_->list.timers.emplace(Now() + delay, std::move(task));
    shared_->Changed();
  }

  bool InQueue() const override { return std::this_thread::get_id() == id_; }

  void Close() override {
    DropTasks();
    if (!thread_.joinable()) return;
    if (InQueue()) return thread_.detach();
    thread_.join();
  }

  void Abandon() override {
    DropTasks();
    if (thread_.joinable()) thread_.detach();
  }

 private:
  // Tasks are destroyed outside the lock, because what they own may post.
  void DropTasks() {
    TaskList dropped;
    MutexLock lock(&shared_->mutex);
    shared_->closed = true;
    std::swap(dropped, shared_->list);
    shared_->Changed();
  }

  const std::shared_ptr<Shared> shared_;
  std::thread thread_;
  std::thread::id id_;  // constant, unlike the id of a thread that was joined
};

class ThreadExecutor final : public Executor {
 public:
  std::unique_ptr<TaskQueue> NewQueue(std::string name) override { return Made<ThreadQueue>(name, /*helps=*/false); }
  std::unique_ptr<TaskQueue> NewHelpingQueue(std::string name) override {
    return Made<ThreadQueue>(name, /*helps=*/true);
  }
  std::unique_ptr<TaskQueue> NewSharedQueue(std::string name) override { return Made<SharedQueue>(name); }
  Instant Now() const override { return base::Now(); }

 private:
  template <class Queue, class... Arguments>
  static std::unique_ptr<TaskQueue> Made(Arguments&&... arguments) {
    try {
      return std::make_unique<Queue>(std::forward<Arguments>(arguments)...);
    } catch (const std::system_error&) {  // of std::thread
      return nullptr;
    }
  }
};

}  // namespace

absl::Status NoThread() {
  rlimit limit{};
  const bool known = ::getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  rlimit memory{};
  const bool bounded = ::getrlimit(RLIMIT_AS, &memory) == 0 && memory.rlim_cur != RLIM_INFINITY;
  return absl::ResourceExhaustedError(absl::StrCat(
      "the system gives this process no more threads (ulimit -u: ", known ? absl::StrCat(limit.rlim_cur) : "unlimited",
      bounded ? absl::StrCat("; ulimit -v: ", memory.rlim_cur >> 10) : "",
      "; pids.max of its control group; kernel.threads-max)"));
}

std::unique_ptr<Executor> NewThreadExecutor() { return std::make_unique<ThreadExecutor>(); }

}  // namespace twinkle::base

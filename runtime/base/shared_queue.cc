#include "runtime/base/shared_queue.h"

#include <sched.h>

#include <limits>
#include <utility>

#include "runtime/base/clock.h"

namespace twinkle::base {
namespace {

constexpr int kMostForOthers = 32;  // tasks that one Post runs
constexpr int kLooks = 20;          // checks whether the queue's own thread has given way

}  // namespace

SharedQueue::SharedQueue(const std::string& name) : state_(std::make_shared<State>()) {
  thread_ = std::thread([state = state_, short_name = name.substr(0, 15)] {
    pthread_setname_np(pthread_self(), short_name.c_str());
    RunThread(*state);
  });
}

bool SharedQueue::Post(Task task) {
  const std::shared_ptr<State> keep = state_;  // a task may end the queue
  State& state = *keep;
  Task first;
  bool wait = false;
  {
    MutexLock lock(&state.mutex);
    if (state.closed) return false;
    const bool at_once = !state.running && state.list.tasks.empty();
    if (at_once) {
      first = std::move(task);
    } else {
      state.list.tasks.push_back(std::move(task));
    }
    if (state.running) {
      if (!state.own || InQueue()) return true;
      ++state.wanting;
      wait = true;
    }
    state.running = true;
  }
  if (!wait || TakeOver(state)) RunTasks(state, kMostForOthers, std::move(first));
  return true;
}

bool SharedQueue::TakeOver(State& state) {
  for (int look = 0; look < kLooks; ++look) {
    ::sched_yield();
    MutexLock lock(&state.mutex);
    if (state.running) continue;
    --state.wanting;
    state.running = !state.list.tasks.empty();
    return state.running;
  }
  MutexLock lock(&state.mutex);
  --state.wanting;
  state.changed.SignalAll();
  return false;
}

void SharedQueue::RunTasks(State& state, int most, Task task) {
  state.runner = std::this_thread::get_id();
  for (int run = 0;; ++run) {
    if (task) task();
    task = nullptr;
    {
      MutexLock lock(&state.mutex);
      if (state.list.tasks.empty() || run == most || (state.own && state.wanting > 0)) {
        state.runner = std::thread::id();
        state.running = false;
        state.own = false;
        // Else nobody waits for this.
        if (!state.list.tasks.empty() || state.closed) state.changed.SignalAll();
        return;
      }
      task = state.list.Pop();
    }
  }
}

void SharedQueue::RunThread(State& state) {
  while (true) {
    {
      MutexLock lock(&state.mutex);
      while (true) {
        if (state.closed) return;
        state.list.TakeDue(Now());
        if (!state.running && state.wanting == 0 && !state.list.tasks.empty()) break;
        state.changed.WaitWithDeadline(&state.mutex, state.list.NextTimer());
      }
      state.running = true;
      state.own = true;
    }
    RunTasks(state, std::numeric_limits<int>::max(), nullptr);
  }
}

void SharedQueue::PostAfter(absl::Duration delay, Task task) {
  MutexLock lock(&state_->mutex);
  if (state_->closed) return;
  const Instant due = Now() + delay;
  const bool first = due < state_->list.NextTimer();
  state_->list.timers.emplace(due, std::move(task));
  if (first) state_->changed.SignalAll();
}

bool SharedQueue::InQueue() const { return state_->runner == std::this_thread::get_id(); }

// Tasks are destroyed outside the lock, because what they own may post.
void SharedQueue::DropTasks() {
  TaskList dropped;
  MutexLock lock(&state_->mutex);
  state_->closed = true;
  std::swap(dropped, state_->list);
  state_->changed.SignalAll();
}

void SharedQueue::Close() {
  DropTasks();
  if (!InQueue()) {
    MutexLock lock(&state_->mutex);
    while (state_->running) state_->changed.Wait(&state_->mutex);
  }
  if (!thread_.joinable()) return;
  thread_.get_id() == std::this_thread::get_id() ? thread_.detach() : thread_.join();
}

void SharedQueue::Abandon() {
  DropTasks();
  if (thread_.joinable()) thread_.detach();
}

}  // namespace twinkle::base

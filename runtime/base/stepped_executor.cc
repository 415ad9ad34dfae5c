#include "runtime/base/stepped_executor.h"

#include <algorithm>
#include <random>
#include <utility>

#include "runtime/base/clock.h"

namespace twinkle::base {

class SteppedExecutor::Queue final : public TaskQueue {
 public:
  Queue(const SteppedExecutor* executor, std::shared_ptr<State> state)
      : executor_(executor), state_(std::move(state)) {}
  ~Queue() override { Close(); }

  bool Post(Task task) override {
    if (state_->closed) return false;
    state_->tasks.push_back(std::move(task));
    return true;
  }
  void PostAfter(absl::Duration delay, Task task) override {
    if (!state_->closed) state_->timers.emplace(executor_->Now() + delay, std::move(task));
  }
  bool InQueue() const override { return state_->running; }
  void Close() override {
    state_->closed = true;
    std::deque<Task> tasks = std::exchange(state_->tasks, {});
    std::multimap<Instant, Task> timers = std::exchange(state_->timers, {});
  }
  void Abandon() override { Close(); }

 private:
  const SteppedExecutor* const executor_;
  const std::shared_ptr<State> state_;
};

SteppedExecutor::SteppedExecutor() : now_(Instant()) {}
SteppedExecutor::~SteppedExecutor() = default;

std::unique_ptr<TaskQueue> SteppedExecutor::NewQueue(std::string name) {
  auto state = std::make_shared<State>();
  state->name = std::move(name);
  std::erase_if(queues_, [](const auto& queue) { return queue->closed && !queue->running; });
  queues_.push_back(state);
  return std::make_unique<Queue>(this, std::move(state));
}

bool SteppedExecutor::StepOne(const std::shared_ptr<State>& state) {
  if (state == nullptr || state->tasks.empty()) return false;
  Task task = std::move(state->tasks.front());
  state->tasks.pop_front();
  const bool outer = std::exchange(state->running, true);
  task();
  state->running = outer;
  return true;
}

std::shared_ptr<SteppedExecutor::State> SteppedExecutor::Find(absl::string_view name) const {
  for (const auto& queue : queues_) {
    if (queue->name == name && !queue->closed) return queue;
  }
  return nullptr;
}

bool SteppedExecutor::Step(absl::string_view queue) { return StepOne(Find(queue)); }

void SteppedExecutor::Drain(absl::string_view queue) {
  while (Step(queue)) {
  }
}

void SteppedExecutor::RunAll(const std::vector<std::string>& skip) {
  for (bool worked = true; worked;) {
    worked = false;
    // NOLINTNEXTLINE(modernize-loop-convert): tasks may add queues
    for (size_t i = 0; i < queues_.size(); ++i) {
      const std::shared_ptr<State> queue = queues_[i];
      if (std::find(skip.begin(), skip.end(), queue->name) == skip.end()) worked |= StepOne(queue);
    }
  }
}

void SteppedExecutor::RunRandomly(uint64_t seed) {
  std::mt19937_64 random(seed);
  while (true) {
    std::vector<std::shared_ptr<State>> ready;
    for (const auto& queue : queues_) {
      if (!queue->tasks.empty()) ready.push_back(queue);
    }
    if (ready.empty()) return;
    StepOne(ready[random() % ready.size()]);
  }
}

void SteppedExecutor::Advance(absl::Duration by) {
  now_ += by;
  for (const auto& queue : queues_) {
    while (!queue->timers.empty() && queue->timers.begin()->first <= now_) {
      queue->tasks.push_back(std::move(queue->timers.begin()->second));
      queue->timers.erase(queue->timers.begin());
    }
  }
}

std::vector<std::string> SteppedExecutor::Ready() const {
  std::vector<std::string> names;
  for (const auto& queue : queues_) {
    if (!queue->tasks.empty()) names.push_back(queue->name);
  }
  return names;
}

}  // namespace twinkle::base

#include "runtime/actor/lane.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/log.h"

namespace twinkle::actor {

using CallState = IncomingCall::State;

namespace {

constexpr absl::Duration kIdleTime = absl::Seconds(5);  // an idle lane needs a moment, however late it is

// Whether a call runs alone, whatever the concurrency.
bool IsExclusive(const IncomingCall& call) {
  return call.message.operation == Operation::kConstruct || call.message.operation == Operation::kDestroy;
}

}  // namespace

Lane::Lane(base::Executor* executor, std::string name, int threads, Run run, Refuse refuse)
    : executor_(*executor),
      name_(std::move(name)),
      most_threads_(static_cast<size_t>(threads)),
      run_(std::make_shared<const Run>(std::move(run))),
      refuse_(std::move(refuse)) {
  StartThread();  // so that it is there when the first call comes
}

Lane::Thread* Lane::StartThread() {
  auto queue = executor_.NewHelpingQueue(most_threads_ == 1 ? name_ : absl::StrCat(name_, ".", threads_.size()));
  if (queue == nullptr) {
    base::Log(base::LogLevel::kWarning, absl::StrCat(name_, " runs with ", threads_.size(), " of ", most_threads_,
                                                     " threads: ", base::NoThread().message()));
    return nullptr;
  }
  threads_.push_back({std::move(queue), nullptr});
  return &threads_.back();
}

Lane::Thread* Lane::FreeThread() {
  if (most_threads_ == 1 && !threads_.empty()) return &threads_.front();  // alone, its queue keeps the order
  const auto idle =
      std::find_if(threads_.begin(), threads_.end(), [](const Thread& thread) { return thread.running == nullptr; });
  if (idle != threads_.end()) return &*idle;
  return threads_.size() < most_threads_ && !abandoned_ ? StartThread() : nullptr;
}

void Lane::Add(std::shared_ptr<IncomingCall> call) {
  waiting_.push_back(std::move(call));
  Pump();
}

void Lane::Post(Thread& thread, std::shared_ptr<IncomingCall> call) {
  if (call->state != CallState::kDone) call->state = CallState::kPosted;
  thread.running = call.get();
  ++posted_;
  call->run = run_;
  thread.queue->Post([call = std::move(call)] { (*call->run)(call); });
}

void Lane::Pump() {
  std::vector<std::shared_ptr<IncomingCall>> refused;
  while (!waiting_.empty() && waiting_.front()->arguments_missing == 0) {
    if (exclusive_ || (most_threads_ > 1 && IsExclusive(*waiting_.front()) && posted_ > 0)) break;
    Thread* const thread = refused.empty() ? FreeThread() : nullptr;
    if (thread == nullptr && !threads_.empty()) break;  // one of them will be free
    std::shared_ptr<IncomingCall> call = std::move(waiting_.front());
    waiting_.pop_front();
    if (thread == nullptr) {
      refused.push_back(std::move(call));
      continue;
    }
    exclusive_ = IsExclusive(*call);
    Post(*thread, std::move(call));
  }
  if (refused.empty()) return;
  const Refuse refuse = refuse_;  // with a destruction that is refused the lane itself may go
  for (const auto& call : refused) refuse(call, base::NoThread());
}

void Lane::Done(const std::shared_ptr<IncomingCall>& call) {
  --posted_;
  if (IsExclusive(*call)) exclusive_ = false;
  for (Thread& thread : threads_) {
    if (thread.running == call.get()) thread.running = nullptr;
  }
  Pump();
}

bool Lane::busy() const { return posted_ > 0; }

bool Lane::Destroy(std::vector<std::shared_ptr<Instance>> objects, base::Instant deadline) {
  if (abandoned_) return true;
  if (!busy()) deadline = std::max(deadline, base::Now() + kIdleTime);
  waiting_.clear();
  for (size_t i = 1; i < threads_.size(); ++i) {  // none of them may be in a method any more
    const auto idle = std::make_shared<base::Event>();
    threads_[i].queue->Post([idle] { idle->Set(); });
    if (!idle->WaitUntil(deadline)) {
      Abandon();
      return false;
    }
  }
  if (threads_.empty()) return true;  // then there is no object either
  auto done = std::make_shared<base::Event>();
  threads_.front().queue->Post([objects = std::move(objects), done]() mutable {
    for (const auto& instance : objects) {
      const ContextScope scope(&instance->context);
      instance->object.reset();
    }
    objects.clear();
    done->Set();
  });
  const bool in_time = done->WaitUntil(deadline);
  for (Thread& thread : threads_) {
    if (in_time) {
      thread.queue->Close();
    } else {
      thread.queue->Abandon();
    }
  }
  return in_time;
}

void Lane::Abandon() {
  abandoned_ = true;
  for (Thread& thread : threads_) thread.queue->Abandon();
}

}  // namespace twinkle::actor

#include "runtime/actor/pending_calls.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>

#include <utility>

#include "runtime/base/status.h"

namespace twinkle::actor {

absl::Status PendingCalls::Add(uint64_t call, const CorePtr& core, WithoutRoom without_room) {
  while (true) {
    std::shared_ptr<base::Event> room;
    std::vector<CorePtr> settled;
    {
      base::MutexLock lock(&mutex_);
      if (calls_.size() >= most_ && without_room == WithoutRoom::kFail) settled = TakeSettled();
      if (calls_.size() < most_ || without_room == WithoutRoom::kAddAnyway) {
        calls_[call] = core;
        break;
      }
      if (without_room == WithoutRoom::kFail) {
        return absl::ResourceExhaustedError(
            absl::StrCat(most_, " calls that this process has made are pending (max_pending_calls), and a method does ",
                         "not wait for them to end: get or wait for some before making more"));
      }
      room = std::make_shared<base::Event>();
      blocked_.push_back(room);
    }
    room->WaitUntil(absl::InfiniteFuture());
  }
  return absl::OkStatus();
}

std::vector<PendingCalls::CorePtr> PendingCalls::TakeSettled() {
  std::vector<CorePtr> settled;
  for (auto entry = calls_.begin(); entry != calls_.end();) {
    const auto candidate = entry++;
    if (!candidate->second->Ready()) continue;
    settled.push_back(std::move(candidate->second));
    calls_.erase(candidate);
  }
  return settled;
}

void PendingCalls::Remove(uint64_t call) {
  std::shared_ptr<base::Event> room;
  {
    base::MutexLock lock(&mutex_);
    calls_.erase(call);
    if (calls_.empty()) all_settled_.SignalAll();
    if (blocked_.empty()) return;
    room = std::move(blocked_.front());
    blocked_.pop_front();
  }
  room->Set();
}

bool PendingCalls::WaitAllSettled(absl::Time deadline) const {
  base::MutexLock lock(&mutex_);
  while (!calls_.empty()) {
    if (absl::Now() >= deadline) return false;
    all_settled_.WaitWithDeadline(&mutex_, deadline);
  }
  return true;
}

std::vector<std::string> PendingCalls::Some(size_t most) const {
  base::MutexLock lock(&mutex_);
  std::vector<std::string> some;
  for (const auto& [id, core] : calls_) {
    if (some.size() < most) some.push_back(core->origin().what);
  }
  return some;
}

void PendingCalls::FailAll(const absl::Status& why) {
  absl::flat_hash_map<uint64_t, CorePtr> calls;
  {
    base::MutexLock lock(&mutex_);
    calls = calls_;
  }
  for (const auto& [id, core] : calls) core->Fail(base::Annotate(why, core->origin().what));
}

}  // namespace twinkle::actor

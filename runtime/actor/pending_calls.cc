#include "runtime/actor/pending_calls.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "runtime/base/bytes_text.h"
#include "runtime/base/clock.h"
#include "runtime/base/session_ended.h"
#include "runtime/base/status.h"

namespace twinkle::actor {

bool PendingCalls::HasRoom() const { return calls_.size() < most_ && (most_bytes_ == 0 || bytes_ < most_bytes_); }

absl::Status PendingCalls::Add(uint64_t call, const CorePtr& core, WithoutRoom without_room, MadeIn made_in) {
  while (true) {
    std::shared_ptr<base::Event> room;
    std::vector<CorePtr> settled;
    {
      base::MutexLock lock(&mutex_);
      if (closed_to_threads_ && made_in == MadeIn::kThread) return base::SessionEnded();
      if (!HasRoom() && without_room == WithoutRoom::kFail) settled = TakeSettled();
      if (HasRoom() || without_room == WithoutRoom::kAddAnyway) {
        calls_[call].core = core;
        ++added_;
        return absl::OkStatus();
      }
      if (without_room == WithoutRoom::kFail) {
        const bool many = calls_.size() >= most_;
        return absl::ResourceExhaustedError(
            absl::StrCat(calls_.size(), " calls that this process has made are pending",
                         many ? " (max_pending_calls)"
                              : absl::StrCat(", with ", base::BytesText(bytes_), " of arguments (object_memory_bytes)"),
                         ", and a method does not wait for them to end: get or wait for some before making more"));
      }
      room = std::make_shared<base::Event>();
      blocked_.push_back(room);
    }
    room->WaitUntil(base::kForever);
  }
}

void PendingCalls::CloseToThreads() {
  std::deque<std::shared_ptr<base::Event>> blocked;
  {
    base::MutexLock lock(&mutex_);
    closed_to_threads_ = true;
    blocked.swap(blocked_);
  }
  for (const auto& room : blocked) room->Set();
}

void PendingCalls::SetBytes(uint64_t call, uint64_t bytes) {
  base::MutexLock lock(&mutex_);
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;
  bytes_ += bytes - std::exchange(found->second.bytes, bytes);
}

std::vector<PendingCalls::CorePtr> PendingCalls::TakeSettled() {
  std::vector<CorePtr> settled;
  for (auto entry = calls_.begin(); entry != calls_.end();) {
    const auto candidate = entry++;
    if (!candidate->second.core->Ready()) continue;
    bytes_ -= candidate->second.bytes;
    settled.push_back(std::move(candidate->second.core));
    calls_.erase(candidate);
  }
  return settled;
}

void PendingCalls::Remove(uint64_t call) {
  std::vector<std::shared_ptr<base::Event>> rooms;
  {
    base::MutexLock lock(&mutex_);
    const auto found = calls_.find(call);
    if (found != calls_.end()) {
      bytes_ -= found->second.bytes;
      calls_.erase(found);
    }
    if (calls_.empty()) all_settled_.SignalAll();
    if (blocked_.empty() || !HasRoom()) return;
    // By number there is room for one more; by bytes perhaps for many.
    const size_t free = most_bytes_ == 0 ? 1 : most_ - calls_.size();
    while (!blocked_.empty() && rooms.size() < free) {
      rooms.push_back(std::move(blocked_.front()));
      blocked_.pop_front();
    }
  }
  for (const auto& room : rooms) room->Set();
}

bool PendingCalls::WaitAllSettled(base::Instant deadline) const {
  base::MutexLock lock(&mutex_);
  while (!calls_.empty()) {
    if (base::Now() >= deadline) return false;
    all_settled_.WaitWithDeadline(&mutex_, deadline);
  }
  return true;
}

std::vector<std::string> PendingCalls::Some(size_t most) const {
  base::MutexLock lock(&mutex_);
  std::vector<std::string> some;
  for (const auto& [id, pending] : calls_) {
    if (some.size() < most) some.push_back(pending.core->origin().what.text());
  }
  return some;
}

uint64_t PendingCalls::added() const {
  base::MutexLock lock(&mutex_);
  return added_;
}

void PendingCalls::FailAll(const absl::Status& why) {
  absl::flat_hash_map<uint64_t, Pending> calls;
  {
    base::MutexLock lock(&mutex_);
    calls = calls_;
  }
  for (const auto& [id, pending] : calls) pending.core->Fail(base::Annotate(why, pending.core->origin().what.text()));
}

}  // namespace twinkle::actor

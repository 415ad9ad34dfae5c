#include "runtime/actor/sequencer.h"

#include <algorithm>
#include <set>

namespace twinkle::actor {
namespace {

// A caller uses its numbers in order, so only the latest can be under way: enough are kept to cover any outbox.
constexpr size_t kMostRemembered = 65536;
constexpr uint64_t kMostNumbersEver = uint64_t{1} << 62;  // a group lives no longer

}  // namespace

void LatestNumbers::Add(uint64_t first, uint64_t count) {
  if (!ranges_.empty() && ranges_.back().end == first) {
    ranges_.back().end += count;
  } else {
    ranges_.push_back({first, first + count});
  }
  count_ += count;
  while (count_ > kMostRemembered) {
    Range& oldest = ranges_.front();
    const uint64_t drop = std::min(count_ - kMostRemembered, oldest.end - oldest.first);
    oldest.first += drop;
    count_ -= drop;
    if (oldest.first == oldest.end) ranges_.pop_front();
  }
}

std::vector<uint64_t> LatestNumbers::Above(uint64_t number) const {
  std::vector<uint64_t> numbers;
  for (const Range& range : ranges_) {
    for (uint64_t i = std::max(range.first, number + 1); i < range.end; ++i) numbers.push_back(i);
  }
  return numbers;
}

void Sequencer::Serve(SequencerEffects& effects) {
  while (MayGrant() && !requests_.empty()) {
    const Request request = requests_.front();
    requests_.pop_front();
    effects.push_back(GrantNumbers{request.caller, next_, request.count, false});
    granted_[request.caller].Add(next_, request.count);
    next_ += request.count;
  }
}

std::vector<rpc::ProcessId> Sequencer::Callers() const {
  std::set<rpc::ProcessId> callers;
  if (state_ == State::kExclusive || state_ == State::kRecalling) callers.insert(holder_);
  for (const auto& [caller, numbers] : granted_) callers.insert(caller);
  for (const Request& request : requests_) callers.insert(request.caller);
  return {callers.begin(), callers.end()};
}

SequencerEffects Sequencer::OnRequest(rpc::ProcessId caller, uint64_t count) {
  SequencerEffects effects;
  if (state_ == State::kFree && settling_.empty()) {
    state_ = State::kExclusive;
    holder_ = caller;
    effects.push_back(GrantNumbers{caller, next_, 0, true});
    return effects;
  }
  if (state_ == State::kExclusive && holder_ == caller) return effects;  // asked before it heard of its grant
  if (count > kMostNumbersEver - std::min(next_, kMostNumbersEver)) return effects;  // no caller has so many calls
  requests_.push_back({caller, count});
  if (state_ == State::kExclusive) {
    state_ = State::kRecalling;
    effects.push_back(RecallNumbers{holder_});
  }
  Serve(effects);
  return effects;
}

SequencerEffects Sequencer::OnRecalled(rpc::ProcessId caller, uint64_t next) {
  SequencerEffects effects;
  if (state_ != State::kRecalling || caller != holder_ || next < next_) return effects;
  if (next > next_) granted_[caller].Add(next_, next - next_);
  next_ = next;
  state_ = State::kShared;
  Serve(effects);
  return effects;
}

SequencerEffects Sequencer::OnLost(rpc::ProcessId caller) {
  SequencerEffects effects;
  requests_.erase(std::remove_if(requests_.begin(), requests_.end(),
                                 [&](const Request& request) { return request.caller == caller; }),
                  requests_.end());
  const bool held = (state_ == State::kExclusive || state_ == State::kRecalling) && holder_ == caller;
  if (!held && granted_.find(caller) == granted_.end()) return effects;
  settling_[caller] = Lost{members_, UINT64_MAX, 0};
  effects.push_back(AskLast{caller});
  return effects;
}

SequencerEffects Sequencer::OnLast(rpc::ProcessId caller, uint64_t last) {
  SequencerEffects effects;
  const auto found = settling_.find(caller);
  if (found == settling_.end()) return effects;
  Lost& lost = found->second;
  lost.least = std::min(lost.least, last);
  lost.most = std::max(lost.most, last);
  if (--lost.missing > 0) return effects;
  const Lost settled = lost;
  settling_.erase(found);
  Settle(caller, settled, effects);
  Serve(effects);
  return effects;
}

// Numbers that arrived everywhere run; later ones of this caller are skipped everywhere.
void Sequencer::Settle(rpc::ProcessId caller, const Lost& lost, SequencerEffects& effects) {
  SkipNumbers skip{granted_[caller].Above(lost.least)};
  granted_.erase(caller);
  if ((state_ == State::kExclusive || state_ == State::kRecalling) && holder_ == caller) {
    LatestNumbers unsettled;
    if (lost.most >= next_) unsettled.Add(next_, lost.most + 1 - next_);
    for (uint64_t number : unsettled.Above(lost.least)) skip.numbers.push_back(number);
    next_ = std::max(next_, lost.most + 1);
    state_ = State::kShared;
  }
  if (!skip.numbers.empty()) effects.push_back(std::move(skip));
}

}  // namespace twinkle::actor

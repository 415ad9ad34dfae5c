#include "runtime/actor/sequencer.h"

#include <algorithm>

namespace twinkle::actor {
namespace {

// A caller uses its numbers in order, so only the latest can be under way: enough are kept to cover any outbox.
constexpr size_t kMostRemembered = 65536;
constexpr uint64_t kMostNumbers = uint64_t{1} << 62;  // a group lives no longer

}  // namespace

void Sequencer::Serve(SequencerEffects& effects) {
  while (MayGrant() && !requests_.empty()) {
    const Request request = requests_.front();
    requests_.pop_front();
    effects.push_back(GrantNumbers{request.caller, next_, request.count, false});
    std::set<uint64_t>& granted = granted_[request.caller];
    next_ += request.count;
    for (uint64_t left = std::min<uint64_t>(request.count, kMostRemembered); left > 0; --left) {
      granted.insert(granted.end(), next_ - left);
    }
    while (granted.size() > kMostRemembered) granted.erase(granted.begin());
  }
}

SequencerEffects Sequencer::OnRequest(rpc::ProcessId caller, uint64_t count) {
  SequencerEffects effects;
  if (state_ == State::kFree && settling_.empty()) {
    state_ = State::kExclusive;
    holder_ = caller;
    effects.push_back(GrantNumbers{caller, next_, 0, true});
    return effects;
  }
  if (state_ == State::kExclusive && holder_ == caller) return effects;      // asked before it heard of its grant
  if (count > kMostNumbers - std::min(next_, kMostNumbers)) return effects;  // no caller has so many calls
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
  for (uint64_t number = next - std::min<uint64_t>(next - next_, kMostRemembered); number < next; ++number) {
    granted_[caller].insert(number);
  }
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
  SkipNumbers skip;
  for (uint64_t number : granted_[caller]) {
    if (number > lost.least) skip.numbers.push_back(number);
  }
  granted_.erase(caller);
  if ((state_ == State::kExclusive || state_ == State::kRecalling) && holder_ == caller) {
    for (uint64_t number = std::max(lost.least + 1, next_); number <= lost.most; ++number)
      skip.numbers.push_back(number);
    next_ = std::max(next_, lost.most + 1);
    state_ = State::kShared;
  }
  if (!skip.numbers.empty()) effects.push_back(std::move(skip));
}

}  // namespace twinkle::actor

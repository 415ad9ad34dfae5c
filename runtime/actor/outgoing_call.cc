#include "runtime/actor/outgoing_call.h"

#include "runtime/actor/services.h"

namespace twinkle::actor {

base::CallName OutgoingCall::Name() const {
  if (class_info != nullptr) return {class_info->name, name(), site.file, site.line};
  return base::CallText(component->class_name, name(), site.file, site.line);
}

bool OutgoingCall::MayFollow(State from, State next) {
  if (next == State::kSettled) return from != State::kSettled;
  switch (from) {
    case State::kWaiting:
      return next == State::kWatching || next == State::kPlanning || next == State::kReady || next == State::kSent;
    case State::kWatching:
      return next == State::kPlanning || next == State::kReady || next == State::kSent;
    case State::kPlanning:
      return next == State::kReady;
    case State::kReady:
      return next == State::kRequested || next == State::kSent;
    case State::kRequested:
      return next == State::kReady || next == State::kSent;
    case State::kSent:
      return next == State::kLate;
    case State::kLate:
    case State::kSettled:
      return false;
  }
  return false;
}

bool OutgoingCall::To(State next) {
  const bool may = MayFollow(state_, next);
  if (may) state_ = next;
  return may;
}

void OutgoingCall::JoinParent() {
  to_this_ = &parent->children;
  next_sibling_ = parent->children;
  if (next_sibling_ != nullptr) next_sibling_->to_this_ = &next_sibling_;
  parent->children = this;
}

void OutgoingCall::LeaveParent() {
  if (to_this_ == nullptr) return;
  *to_this_ = next_sibling_;
  if (next_sibling_ != nullptr) next_sibling_->to_this_ = to_this_;
  to_this_ = nullptr;
}

CallFacts OutgoingCall::Facts() const {
  return {component->class_name, name(), component->group, -1, "", BaseName(site.file), site.line};
}

CallFacts OutgoingCall::FactsHere(const ProcessOptions& here) const {
  CallFacts facts = Facts();
  facts.place = here.place;
  if (!facts.group.empty()) facts.rank = here.rank;
  return facts;
}

}  // namespace twinkle::actor

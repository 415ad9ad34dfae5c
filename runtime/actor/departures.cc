#include "runtime/actor/departures.h"

#include <absl/strings/str_cat.h>

#include <utility>

namespace twinkle::actor {

using State = OutgoingCall::State;

namespace {

absl::Status NoSequencer(const absl::Status& why) {
  return absl::AbortedError(absl::StrCat("its group's first process is gone: ", why.message()));
}

}  // namespace

void Departures::Add(const CallPtr& call) {
  const auto known = domains_.find(call->component->domain);
  if (!call->numbered() && known == domains_.end()) return listener_.OnDeparture(call, 0, 0);
  Domain& domain = known != domains_.end() ? known->second : domains_[call->component->domain];
  if (domain.workers.empty()) domain.workers = call->component->domain_workers;
  domain.waiting.push_back(call);
}

void Departures::Pump(uint64_t id) {
  const auto found = domains_.find(id);
  if (found == domains_.end()) return;
  Domain& domain = found->second;
  while (!domain.waiting.empty()) {
    const CallPtr call = domain.waiting.front();
    if (call->in_domain()) {
      uint64_t number = 0;
      if (call->numbered() && !TakeNumber(domain, &number)) {
        RequestNumbers(id, domain);
        return;
      }
      domain.waiting.pop_front();
      listener_.OnDeparture(call, number, domain.last);
      if (number != 0) domain.last = number;
      continue;
    }
    domain.waiting.pop_front();
  }
  ReturnSpare(id, domain);
  if (domain.IsTrivial()) domains_.erase(id);
}

bool Departures::TakeNumber(Domain& domain, uint64_t* number) {
  if (!domain.granted.empty()) {
    Numbers& granted = domain.granted.front();
    *number = granted.first++;
    if (granted.first == granted.end) domain.granted.pop_front();
    return true;
  }
  if (!domain.exclusive) return false;
  *number = domain.next++;
  return true;
}

// Sends one request for all calls that wait.
void Departures::RequestNumbers(uint64_t id, Domain& domain) {
  uint64_t count = 0;
  for (const CallPtr& call : domain.waiting) {
    if (call->numbered() && call->To(State::kRequested)) ++count;
  }
  if (count == 0) return;
  domain.asked += count;
  const absl::Status sent = services_.transport->Send(domain.workers.front(), rpc::Stream::kControl,
                                                      EncodeMessage(NumberRequest{id, count, domain.workers}));
  if (!sent.ok() && !absl::IsCancelled(sent)) FailWaiting(id, NoSequencer(sent));
}

// Skips the numbers of calls that were cancelled meanwhile, since nobody may wait for them (DE2).
void Departures::ReturnSpare(uint64_t id, Domain& domain) {
  if (domain.granted.empty()) return;
  SkipMessage skip{id, true, {}};
  for (const Numbers& granted : std::exchange(domain.granted, {})) {
    for (uint64_t number = granted.first; number < granted.end; ++number) skip.numbers.push_back(number);
  }
  domain.last = skip.numbers.back();
  for (rpc::ProcessId worker : domain.workers) services_.Send(worker, rpc::Stream::kData, skip);
}

// Ends the calls of a domain that wait, because there will be no numbers any more.
void Departures::FailWaiting(uint64_t id, const absl::Status& why) {
  const auto domain = domains_.extract(id);
  if (domain.empty()) return;
  for (const CallPtr& call : domain.mapped().waiting) {
    if (call->in_domain()) listener_.OnNoDeparture(call, why);
  }
}

void Departures::OnGrant(const NumberGrant& grant) {
  const auto found = domains_.find(grant.domain);
  if (found == domains_.end() || grant.count > found->second.asked) return;  // nobody asked for them
  Domain& domain = found->second;
  domain.asked = grant.exclusive ? 0 : domain.asked - grant.count;
  if (grant.exclusive) {
    domain.exclusive = true;
    domain.next = grant.first;
  }
  if (grant.count > 0) domain.granted.push_back({grant.first, grant.first + grant.count});
  Pump(grant.domain);
}

void Departures::OnRecall(rpc::ProcessId from, const RecallMessage& recall) {
  const auto found = domains_.find(recall.domain);
  if (found == domains_.end() || !std::exchange(found->second.exclusive, false)) return;
  Domain& domain = found->second;
  for (const CallPtr& call : domain.waiting) call->To(State::kReady);  // those that had asked
  services_.Send(from, rpc::Stream::kControl, RecalledMessage{recall.domain, domain.next});
}

void Departures::OnReleased(const ReleasedMessage& released) {
  FailWaiting(released.component, FromWire(released.why));
}

void Departures::OnLost(rpc::ProcessId peer, const absl::Status& why) {
  std::vector<uint64_t> unordered;
  for (const auto& [id, domain] : domains_) {
    if (domain.workers.front() == peer) unordered.push_back(id);
  }
  for (uint64_t id : unordered) FailWaiting(id, NoSequencer(why));
}

}  // namespace twinkle::actor

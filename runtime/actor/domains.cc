#include "runtime/actor/domains.h"

#include "runtime/actor/wire.h"

namespace twinkle::actor {

// Why a domain is gone. A domain that has an order here, or an object, lives, however many came and went since.
absl::Status Domains::WhyGone(uint64_t domain) const {
  return domains_.contains(domain) ? absl::OkStatus() : listener_.WhyGone(domain);
}

void Domains::Release(std::span<const CallPtr> calls) {
  for (const CallPtr& call : calls) listener_.OnTurn(call);
}

void Domains::Arrive(rpc::ProcessId from, const Order& order, const CallPtr& call) {
  Domain& domain = domains_[order.domain];
  if (order.number == 0) return Release(domain.gate.ArriveAfter(order.after, call));
  domain.last[from] = order.number;
  Release(domain.gate.Arrive(order.number, call));
}

void Domains::OnSkip(rpc::ProcessId from, const SkipMessage& skip) {
  if (!WhyGone(skip.domain).ok()) return;
  if (skip.own && !skip.numbers.empty()) domains_[skip.domain].last[from] = skip.numbers.back();
  for (uint64_t number : skip.numbers) {
    if (!skip.own) listener_.OnSkipped(skip.domain, number);
    Release(domains_[skip.domain].gate.Skip(number));
  }
}

void Domains::Forget(uint64_t id, const absl::Status& why) {
  const auto domain = domains_.extract(id);
  if (domain.empty() || domain.mapped().sequencer == nullptr) return;
  for (rpc::ProcessId caller : domain.mapped().sequencer->Callers()) {
    services_.Send(caller, rpc::Stream::kControl, ReleasedMessage{id, ToWire(why)});
  }
}

// ---- numbers
Sequencer* Domains::SequencerOf(uint64_t id) {
  const auto domain = domains_.find(id);
  return domain == domains_.end() ? nullptr : domain->second.sequencer.get();
}

void Domains::OnNumberRequest(rpc::ProcessId from, const NumberRequest& request) {
  if (const absl::Status gone = WhyGone(request.domain); !gone.ok()) {
    return services_.Send(from, rpc::Stream::kControl, ReleasedMessage{request.domain, ToWire(gone)});
  }
  Domain& domain = domains_[request.domain];
  if (domain.sequencer == nullptr) {
    domain.sequencer = std::make_unique<Sequencer>(request.members.size());
    domain.members = request.members;
  }
  Apply(request.domain, domain.sequencer->OnRequest(from, request.count));
}

void Domains::OnRecalled(rpc::ProcessId from, const RecalledMessage& recalled) {
  if (Sequencer* const sequencer = SequencerOf(recalled.domain)) {
    Apply(recalled.domain, sequencer->OnRecalled(from, recalled.next));
  }
}

void Domains::OnLastReply(const LastReply& reply) {
  if (Sequencer* const sequencer = SequencerOf(reply.domain)) {
    Apply(reply.domain, sequencer->OnLast(reply.caller, reply.last));
  }
}

void Domains::OnLastQuery(rpc::ProcessId from, const LastQuery& query) {
  uint64_t last = 0;
  if (WhyGone(query.domain).ok()) {
    Domain& domain = domains_[query.domain];
    if (!lost_.Has(query.caller)) {  // frames of it may still come
      domain.queries.emplace_back(from, query);
      return;
    }
    if (const auto found = domain.last.find(query.caller); found != domain.last.end()) last = found->second;
  }
  services_.Send(from, rpc::Stream::kControl, LastReply{query.domain, query.caller, last});
}

void Domains::OnLost(rpc::ProcessId peer) {
  std::vector<uint64_t> ids;
  ids.reserve(domains_.size());
  for (const auto& entry : domains_) ids.push_back(entry.first);
  for (uint64_t id : ids) {
    const auto queries = std::exchange(domains_[id].queries, {});
    for (const auto& [from, query] : queries) OnLastQuery(from, query);
    if (Sequencer* const sequencer = SequencerOf(id)) Apply(id, sequencer->OnLost(peer));
  }
}

void Domains::Apply(uint64_t id, const SequencerEffects& effects) {
  const std::vector<rpc::ProcessId>& members = domains_[id].members;
  for (const SequencerEffect& effect : effects) {
    if (const auto* grant = std::get_if<GrantNumbers>(&effect)) {
      services_.Send(grant->caller, rpc::Stream::kControl,
                     NumberGrant{id, grant->first, grant->count, grant->exclusive});
    } else if (const auto* recall = std::get_if<RecallNumbers>(&effect)) {
      services_.Send(recall->caller, rpc::Stream::kControl, RecallMessage{id});
    } else if (const auto* ask = std::get_if<AskLast>(&effect)) {
      for (rpc::ProcessId member : members) services_.Send(member, rpc::Stream::kControl, LastQuery{id, ask->caller});
    } else if (const auto* skip = std::get_if<SkipNumbers>(&effect)) {
      for (rpc::ProcessId member : members)
        services_.Send(member, rpc::Stream::kControl, SkipMessage{id, false, skip->numbers});
    }
  }
}

}  // namespace twinkle::actor

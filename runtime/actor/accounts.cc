#include "runtime/actor/accounts.h"

#include <utility>

namespace twinkle::actor {

void Accounts::Ask(rpc::ProcessId peer, bool close, Done done) {
  const uint64_t token = next_++;
  AccountQuery query{token, close};
  if (close) query.losses_seen = services_.failures->LossesLookedAt();
  const absl::Status sent = services_.transport->Send(peer, rpc::Stream::kControl, EncodeMessage(query));
  if (!sent.ok()) return done({.from = Account::From::kGone});
  asked_.emplace(token, Asked{peer, std::move(done)});
}

void Accounts::OnReply(AccountReply reply) {
  auto asked = asked_.extract(reply.token);
  if (asked.empty()) return;
  asked.mapped().done(
      {Account::From::kProcess, reply.calls_made, std::move(reply.calls_under_way), FromWire(reply.unread_failure)});
}

void Accounts::OnLost(rpc::ProcessId peer) {
  std::vector<uint64_t> unanswered;
  for (const auto& [token, asked] : asked_) {
    if (asked.peer == peer) unanswered.push_back(token);
  }
  for (uint64_t token : unanswered) asked_.extract(token).mapped().done({.from = Account::From::kGone});
}

bool RestDetector::Pass(const std::vector<Account>& accounts) {
  std::vector<uint64_t> made;
  made.reserve(accounts.size());
  for (const Account& account : accounts) {
    if (!account.calls_under_way.empty()) {
      made_.reset();
      return false;
    }
    made.push_back(account.calls_made);
  }
  const bool rests = made_ == made;
  made_ = std::move(made);
  return rests;
}

}  // namespace twinkle::actor

#include "runtime/actor/accounts.h"

#include <memory>
#include <utility>

#include "runtime/actor/binder.h"
#include "runtime/base/clock.h"
#include "runtime/base/forked.h"
#include "runtime/base/ids.h"
#include "runtime/base/mutex.h"

namespace twinkle::actor {
namespace {

constexpr size_t kCallsNamed = 3;

// The answers of several processes, as they come.
struct Answers {
  explicit Answers(size_t count) : accounts(count), missing(count) {}

  void Add(size_t index, Account account) {
    base::MutexLock lock(&mutex);
    accounts[index] = std::move(account);
    --missing;
    changed.SignalAll();
  }
  // Waits until all answers are there, or none has come for so long.
  void Await(absl::Duration patience) {
    base::MutexLock lock(&mutex);
    size_t before = missing + 1;
    while (missing > 0 && missing < before) {
      before = missing;
      const base::Instant deadline = base::Now() + patience;
      while (missing == before && base::Now() < deadline) changed.WaitWithDeadline(&mutex, deadline);
    }
  }

  base::Mutex mutex;
  base::CondVar changed;
  std::vector<Account> accounts ABSL_GUARDED_BY(mutex);
  size_t missing ABSL_GUARDED_BY(mutex);
};

}  // namespace

Account Accounts::Own() const {
  Account account{.from = Account::From::kProcess};
  account.calls_made = pending_.added();
  account.calls_under_way = pending_.Some(kCallsNamed);
  return account;
}

std::vector<Account> Accounts::AskAll(const std::vector<rpc::ProcessId>& peers, bool close, absl::Duration patience) {
  const auto answers = std::make_shared<Answers>(peers.size());
  const bool asked = services_.service->Post([this, keep = services_.binder->store(), answers, peers, close] {
    for (size_t i = 0; i < peers.size(); ++i) {
      Ask(peers[i], close, [answers, i](Account account) { answers->Add(i, std::move(account)); });
    }
  });
  if (asked) answers->Await(patience);
  base::MutexLock lock(&answers->mutex);
  return answers->accounts;
}

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

void Accounts::OnQuery(rpc::ProcessId from, const AccountQuery& query) {
  Account own = Own();
  AccountReply reply{query.token, own.calls_made, std::move(own.calls_under_way), {}};
  for (rpc::ProcessId process : query.losses_seen) services_.failures->LookAtLoss(process);
  if (query.close) reply.unread_failure = ToWire(services_.failures->Close());
  services_.Send(from, rpc::Stream::kControl, reply);
}

// ---- losses
// Has losses told once somebody has looked at them: before the method in which that was can end, and on both streams.
// So the word is ahead of the method's reply, after which this rank may be killed, and of the answer to the program's
// last question: the program has heard of it when it closes its failures.
void Accounts::NoteLoss(const std::vector<rpc::ProcessId>& processes, const absl::Status& why) {
  if (processes.empty()) return;
  const std::weak_ptr<object::ObjectStore> process = services_.binder->store();
  services_.failures->NoteLoss(processes, why, [this, process, seen = LossSeenMessage{processes.front()}] {
    const auto keep = process.lock();
    if (keep == nullptr || base::InForkedChild()) return;
    services_.service->Post([this, process, seen] {
      const auto rank = process.lock();
      if (rank == nullptr) return;
      const rpc::ProcessId program = base::ProcessIdOf(base::JobOf(services_.options.id), 0);
      for (const rpc::Stream stream : {rpc::Stream::kData, rpc::Stream::kControl})
        services_.Send(program, stream, seen);
    });
  });
}

void Accounts::OnLossSeen(rpc::ProcessId from, const LossSeenMessage& seen) {
  const rpc::ProcessId own = services_.options.id;
  const bool is_program = services_.options.group.empty();
  if (!is_program || base::JobOf(from) != base::JobOf(own) || base::JobOf(seen.process) != base::JobOf(own)) return;
  services_.failures->LookAtLoss(seen.process);
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

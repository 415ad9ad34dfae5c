// What a process says of the calls it has made, and what it asks others about theirs.
#include <memory>
#include <utility>
#include <vector>

#include "runtime/actor/process.h"
#include "runtime/base/clock.h"
#include "runtime/base/forked.h"
#include "runtime/base/ids.h"
#include "runtime/base/mutex.h"

namespace twinkle::actor {
namespace {

constexpr size_t kCallsNamed = 3;

// Of several processes, as they come.
struct Answers {
  explicit Answers(size_t count) : accounts(count), missing(count) {}

  void Add(size_t index, Account account) {
    base::MutexLock lock(&mutex);
    accounts[index] = std::move(account);
    --missing;
    changed.SignalAll();
  }
  // Until all are there, or none has come for so long.
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

Account Process::OwnAccount() const {
  Account account{.from = Account::From::kProcess};
  account.calls_made = caller_->pending().added();
  account.calls_under_way = CallsUnderWay(kCallsNamed);
  return account;
}

std::vector<Account> Process::AccountsOf(const std::vector<rpc::ProcessId>& peers, bool close,
                                         absl::Duration patience) {
  const auto answers = std::make_shared<Answers>(peers.size());
  const bool asked = service_->Post([self = shared_from_this(), answers, peers, close] {
    for (size_t i = 0; i < peers.size(); ++i) {
      self->accounts_.Ask(peers[i], close, [answers, i](Account account) { answers->Add(i, std::move(account)); });
    }
  });
  if (asked) answers->Await(patience);
  base::MutexLock lock(&answers->mutex);
  return answers->accounts;
}

void Process::OnAccountQuery(rpc::ProcessId from, const AccountQuery& query) {
  Account own = OwnAccount();
  AccountReply reply{query.token, own.calls_made, std::move(own.calls_under_way), {}};
  for (rpc::ProcessId process : query.losses_seen) failures().LookAtLoss(process);
  if (query.close) reply.unread_failure = ToWire(failures().Close());
  services_.Send(from, rpc::Stream::kControl, reply);
}

// ---- losses
// Told before the method in which somebody looked can end, and on the stream of the answer to the program's last
// question: the program has heard of it when it closes its failures.
void Process::NoteLoss(const std::vector<rpc::ProcessId>& processes, const absl::Status& why) {
  if (processes.empty()) return;
  failures().NoteLoss(processes, why, [weak = weak_from_this(), seen = LossSeenMessage{processes.front()}] {
    const auto self = weak.lock();
    if (self == nullptr || base::InForkedChild()) return;
    self->service_->Post([weak, seen] {
      if (const auto rank = weak.lock()) {
        const rpc::ProcessId program = base::ProcessIdOf(base::JobOf(rank->options().id), 0);
        rank->services_.Send(program, rpc::Stream::kControl, seen);
      }
    });
  });
}

void Process::OnLossSeen(rpc::ProcessId from, const LossSeenMessage& seen) {
  const rpc::ProcessId own = services_.options.id;
  const bool is_program = services_.options.group.empty();
  if (!is_program || base::JobOf(from) != base::JobOf(own) || base::JobOf(seen.process) != base::JobOf(own)) return;
  failures().LookAtLoss(seen.process);
}

}  // namespace twinkle::actor

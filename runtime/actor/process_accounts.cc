// What a process says of the calls it has made, and what it asks others about theirs.
#include <memory>
#include <utility>
#include <vector>

#include "runtime/actor/process.h"
#include "runtime/base/clock.h"
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
  if (query.close) reply.unread_failure = ToWire(failures().Close());
  services_.Send(from, rpc::Stream::kControl, reply);
}

}  // namespace twinkle::actor

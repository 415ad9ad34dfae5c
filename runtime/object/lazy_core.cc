#include "runtime/object/lazy_core.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/status.h"
#include "runtime/object/lazy_reader.h"

namespace twinkle::internal {

using object::Failure;

namespace {

void RunAll(std::vector<base::Task> tasks) {
  for (base::Task& task : tasks) task();
}

}  // namespace

LazyCore::LazyCore(LazyOrigin origin) : origin_(std::move(origin)) {}
LazyCore::~LazyCore() = default;

// ---- settling
void LazyCore::To(Phase next) {
  const bool settles = phase_ == Phase::kPending;
  phase_ = next;
  // Under the lock, and in this order: whoever finds it settled finds it ready.
  if (next == Phase::kAnswered) answered_.Set();
  if (settles) settled_.Set();
}

void LazyCore::Settle(Phase next, Following* following) {
  if (origin_.collected == nullptr) next = Phase::kAnswered;  // there is nothing to collect
  following->owner.swap(owner_);
  following->call = call_;
  following->tasks.swap(on_settled_);
  To(next);
}

void LazyCore::Following::Run() {
  if (const auto one = owner.lock()) one->OnCallSettled(call);
  RunAll(std::move(tasks));
}

void LazyCore::Succeed(object::Shards shards) { SucceedAs(object::RowsOfShards(origin_, std::move(shards))); }

void LazyCore::SucceedAs(object::LazyRows made_of) {
  Following following;
  {
    base::MutexLock lock(&mutex_);
    if (phase_ != Phase::kPending) return;
    made_of_ = std::move(made_of);
    Settle(Phase::kSettled, &following);
  }
  following.Run();
}

void LazyCore::SucceedWith(const std::shared_ptr<void>& value) {
  Following following;
  std::shared_ptr<void> answer;
  if (origin_.collected != nullptr) {
    answer = origin_.answer.make(absl::OkStatus());
    origin_.collected->move(origin_.answer.value(answer.get()), value.get());
  }
  {
    base::MutexLock lock(&mutex_);
    if (phase_ != Phase::kPending) return;
    answer_ = std::move(answer);
    Settle(Phase::kAnswered, &following);
  }
  following.Run();
}

void LazyCore::End() {
  Following following;
  {
    base::MutexLock lock(&mutex_);
    if (phase_ != Phase::kPending) return;
    ended_ = true;
    Settle(Phase::kSettled, &following);
  }
  following.Run();
}

bool LazyCore::ended() const {
  base::MutexLock lock(&mutex_);
  return ended_;
}

void LazyCore::Fail(const absl::Status& status, std::vector<std::shared_ptr<Failure>> causes) {
  // Other causes are entered themselves.
  bool as_wished = std::any_of(causes.begin(), causes.end(), [](const auto& cause) { return cause->is_wished(); });
  {
    base::MutexLock lock(&mutex_);
    if (phase_ != Phase::kPending) return;
    as_wished = as_wished || (cancelled_ && absl::IsCancelled(status));
  }
  if (as_wished) return FailAsWished(status);
  SettleFailed(status, EnterFailure(status, std::move(causes)));
}

std::shared_ptr<Failure> LazyCore::EnterFailure(const absl::Status& status,
                                                std::vector<std::shared_ptr<Failure>> causes) {
  if (origin_.failures == nullptr) return std::make_shared<Failure>(status, std::move(causes));
  return origin_.failures->Add(status, std::move(causes));
}

void LazyCore::FailAsWished(const absl::Status& status) {
  const auto failure =
      std::make_shared<Failure>(status, std::vector<std::shared_ptr<Failure>>(), Failure::Kind::kWished);
  failure->Look();
  SettleFailed(status, failure);
}

void LazyCore::SettleFailed(const absl::Status& status, const std::shared_ptr<Failure>& failure) {
  Following following;
  {
    base::MutexLock lock(&mutex_);
    if (phase_ != Phase::kPending) return failure->Look();  // it settled otherwise meanwhile: nobody will ask for this
    status_ = status;
    failure_ = failure;
    if (origin_.answer.make != nullptr) answer_ = origin_.answer.make(status);
    Settle(Phase::kAnswered, &following);
  }
  following.Run();
}

std::shared_ptr<LazyCore> LazyCore::Failed(LazyOrigin origin, const absl::Status& status) {
  auto core = std::make_shared<LazyCore>(std::move(origin));
  core->Fail(status);
  return core;
}

void LazyCore::SetCall(std::weak_ptr<CallOwner> owner, uint64_t call) {
  base::MutexLock lock(&mutex_);
  if (phase_ != Phase::kPending) return;
  owner_ = std::move(owner);
  call_ = call;
}

void LazyCore::Cancel() {
  std::shared_ptr<CallOwner> owner;
  uint64_t call = 0;
  {
    base::MutexLock lock(&mutex_);
    cancelled_ = true;
    owner = owner_.lock();
    call = call_;
  }
  if (owner != nullptr) owner->CancelCall(call, origin_.what.text());
}

// What it reads is constant once it is answered.
std::optional<LazyCore::Outcome> LazyCore::OutcomeSoFar() const {
  if (!answered_.IsSet()) return std::nullopt;
  return Outcome{status_, answer_.get()};
}

void LazyCore::OnSettled(base::Task task) {
  {
    base::MutexLock lock(&mutex_);
    if (phase_ == Phase::kPending) return on_settled_.push_back(std::move(task));
  }
  task();
}

// ---- asking
absl::Status LazyCore::status() const {
  base::MutexLock lock(&mutex_);
  return status_;
}

std::shared_ptr<Failure> LazyCore::failure() const {
  base::MutexLock lock(&mutex_);
  return failure_;
}

absl::Status LazyCore::Wait(base::Instant deadline) {
  if (!WaitSettledUntil(deadline)) {
    if (absl::Status cancelled = GivenUp(); !cancelled.ok()) return cancelled;
    return absl::DeadlineExceededError(
        absl::StrCat(origin_.what.text(), " has not finished within the time given to Wait"));
  }
  if (const auto failed = failure()) failed->Look();
  return status();
}

absl::StatusOr<int64_t> LazyCore::Size() {
  TWINKLE_RETURN_IF_ERROR(Wait(base::kForever));
  if (origin_.collected == nullptr)
    return absl::InvalidArgumentError(absl::StrCat(origin_.what.text(), " has no result"));
  absl::StatusOr<int64_t> rows = absl::InternalError("not counted");
  if (made_of_.known()) {
    rows = codec::CommonRows(this->rows());
  } else {
    if (!WaitAnswered()) return GivenUp();
    if (const auto failed = failure()) failed->Look();
    TWINKLE_RETURN_IF_ERROR(status());
    rows = codec::CommonRows(codec::RowsOf(*origin_.collected, value().get()));
  }
  if (!rows.ok()) return base::Annotate(rows.status(), origin_.what.text());
  return rows;
}

bool LazyCore::WaitAnswered() {
  if (!WaitSettled()) return false;
  StartCollect(/*here=*/true);
  return base::WaitUnlessCancelled(answered_, base::kForever);
}

absl::Status LazyCore::GivenUp() const {
  const base::Cancellation* const mine = base::CurrentCancellation();
  if (mine == nullptr || !mine->IsCancelled()) return absl::OkStatus();
  return base::GivenUp(origin_.what.text(), mine->why());
}

const void* LazyCore::GivenUpAnswer() {
  std::shared_ptr<void> answer = origin_.answer.make(GivenUp());
  base::MutexLock lock(&mutex_);
  given_up_.push_back(std::move(answer));
  return given_up_.back().get();
}

const void* LazyCore::Answer() {
  if (!WaitAnswered()) return GivenUpAnswer();
  std::shared_ptr<Failure> failed;
  const void* answer = nullptr;
  {
    base::MutexLock lock(&mutex_);
    failed = failure_;
    answer = answer_.get();
  }
  if (failed != nullptr) failed->Look();
  return answer;
}

std::shared_ptr<const void> LazyCore::value() const {
  base::MutexLock lock(&mutex_);
  if (answer_ == nullptr || !status_.ok()) return nullptr;
  return {answer_, origin_.answer.value(answer_.get())};
}

void LazyCore::OnAnswered(base::Task task) {
  OnSettled([self = shared_from_this(), task = std::move(task)]() mutable {
    {
      base::MutexLock lock(&self->mutex_);
      if (self->phase_ != Phase::kAnswered) {
        self->on_answered_.push_back(std::move(task));
        task = nullptr;
      }
    }
    if (task) return task();
    self->StartCollect(/*here=*/false);
  });
}

// ---- collecting
void LazyCore::StartCollect(bool here) {
  {
    base::MutexLock lock(&mutex_);
    if (phase_ != Phase::kSettled) return;
    To(Phase::kCollecting);
  }
  object::ReadLazy(origin_, made_of_, here,
                   [self = shared_from_this()](auto answer) { self->SetAnswer(std::move(answer)); });
}

void LazyCore::SetAnswer(absl::StatusOr<std::shared_ptr<void>> answer) {
  std::shared_ptr<Failure> failure;
  if (!answer.ok()) {
    failure = EnterFailure(answer.status(), {});
    answer = origin_.answer.make(failure->status());
  }
  std::vector<base::Task> run;
  {
    base::MutexLock lock(&mutex_);
    answer_ = *std::move(answer);
    if (failure != nullptr) status_ = failure->status();
    failure_ = std::move(failure);
    run.swap(on_answered_);
    To(Phase::kAnswered);
  }
  RunAll(std::move(run));
}

}  // namespace twinkle::internal

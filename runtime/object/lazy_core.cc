#include "runtime/object/lazy_core.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/status.h"
#include "runtime/codec/guarded.h"
#include "runtime/dispatch/collect.h"
#include "runtime/object/assemble.h"

namespace twinkle::internal {

using codec::Range;
using object::Failure;
using object::Pulled;
using object::Shard;

namespace {

// Pulled parts that arrive in any order.
struct Arrivals {
  explicit Arrivals(size_t count) : parts(count), missing(count) {}
  object::PulledParts parts;
  std::atomic<size_t> missing;
};

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

void LazyCore::Succeed(object::Shards shards) { SucceedWithView(std::move(shards), std::nullopt); }

void LazyCore::SucceedWithView(object::Shards shards, std::optional<Range> view) {
  Following following;
  {
    base::MutexLock lock(&mutex_);
    if (phase_ != Phase::kPending) return;
    shards_ = std::move(shards);
    view_ = view;
    shard_rows_.reserve(shards_.size());
    for (Shard& shard : shards_) shard_rows_.push_back(std::move(shard.rows));
    if (origin_.as_it_is) {
      join_ = object::Join::kSingle;
    } else if (origin_.collected != nullptr && origin_.own_collect == nullptr) {
      join_ = object::JoinOf(origin_.rule, origin_.padding.given, origin_.result->kind == Kind::kValue, shard_rows_);
    }
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
  SettleFailed(status, origin_.failures != nullptr ? origin_.failures->Add(status, std::move(causes))
                                                   : std::make_shared<Failure>(status, std::move(causes)));
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
  if (join_ || plan_) {
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

// ---- rows
std::optional<object::Join> LazyCore::join() const { return join_; }

codec::Rows LazyCore::rows() const {
  if (plan_) return object::RowsOf(*plan_, *origin_.collected);
  codec::Rows rows = object::JoinedRows(*join_, shard_rows_);
  if (view_) {
    for (codec::RowNode& node : rows) {
      if (node.rows >= 0) node.rows = view_->size();
    }
  }
  return rows;
}

std::vector<object::Piece> LazyCore::Pieces(const dispatch::Part& part) const {
  if (!view_) return object::PiecesOf(*join_, shard_rows_, part);
  dispatch::Part moved{.whole = false, .ranges = part.ranges};
  if (part.whole) moved.ranges.assign(codec::LeafCount(rows()), Range{0, view_->size()});
  for (Range& range : moved.ranges) range = {range.begin + view_->begin, range.end + view_->begin};
  return object::PiecesOf(*join_, shard_rows_, moved);
}

std::shared_ptr<LazyCore> LazyCore::Rows(const std::shared_ptr<LazyCore>& source, int64_t begin, int64_t end) {
  LazyOrigin origin = source->origin_;
  origin.what = absl::StrCat("rows [", begin, ", ", end, ") of ", origin.what.text());
  if (source->planned_) {
    return Planned({source}, origin.what.text(), *origin.collected, origin.answer, [begin, end](auto inputs) {
      return object::TakeRange(inputs[0], {begin, end});
    });
  }
  auto view = std::make_shared<LazyCore>(std::move(origin));
  view->source_ = source;
  const Range range{begin, end};
  source->OnSettled([view, source, range] {
    if (!source->status().ok() || source->join()) return view->SettleView(source, range);
    source->OnAnswered([view, source, range] { view->SettleView(source, range); });
  });
  return view;
}

// Runs once the source has settled, and was answered when its rows are not known otherwise.
void LazyCore::SettleView(const std::shared_ptr<LazyCore>& source, Range range) {
  if (const absl::Status failed = source->status(); !failed.ok()) {
    return Fail(failed, {source->failure()});
  }
  const Type& type = *origin_.collected;
  const codec::Rows rows = source->join() ? source->rows() : codec::RowsOf(type, source->value().get());
  const absl::StatusOr<int64_t> count = codec::CommonRows(rows);
  if (!count.ok()) return Fail(base::Annotate(count.status(), origin_.what.text()));
  if (range.begin < 0 || range.begin > range.end || range.end > *count) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(origin_.what.text(), ": it has ", *count, " rows")));
  }
  if (!source->join()) {
    const std::shared_ptr<void> part = type.make();
    const std::vector<Range> ranges(codec::LeafCount(rows), range);
    const absl::Status sliced = codec::Slice(type, part.get(), source->value().get(), ranges);
    if (!sliced.ok()) return Fail(sliced);
    return SucceedWith(part);
  }
  const int64_t offset = source->view_ ? source->view_->begin : 0;
  Following following;
  {
    base::MutexLock lock(&mutex_);
    shards_ = source->shards_;
    shard_rows_ = source->shard_rows_;
    join_ = source->join_;
    view_ = Range{range.begin + offset, range.end + offset};
    Settle(Phase::kSettled, &following);
  }
  following.Run();
}

// ---- collecting
const codec::Type& LazyCore::PieceType() const {
  return view_ ? object::PieceType(*join_, *origin_.collected) : *origin_.result;
}

void LazyCore::StartCollect(bool here) {
  {
    base::MutexLock lock(&mutex_);
    if (phase_ != Phase::kSettled) return;
    To(Phase::kCollecting);
  }
  if (plan_) return ReadPlan(here);
  if (here && !view_ && std::all_of(shards_.begin(), shards_.end(), [](const Shard& s) { return s.carried; })) {
    object::PulledParts parts;
    parts.reserve(shards_.size());
    for (const Shard& shard : shards_) parts.emplace_back(Pulled{nullptr, *shard.carried});
    return FinishCollect(std::move(parts));
  }
  std::vector<object::Piece> pieces;
  if (view_) {
    pieces = Pieces(dispatch::Part{});
  } else {
    for (size_t i = 0; i < shards_.size(); ++i) pieces.push_back({i, std::nullopt});
  }
  std::vector<Reading> readings;
  for (object::Piece& piece : pieces) {
    const Shard& shard = shards_[piece.shard];
    if (shard.carried && !piece.rows) {
      readings.push_back({.there = Pulled{nullptr, *shard.carried}});
    } else {
      readings.push_back({std::nullopt, shard.object->ref(), &PieceType(), {.rows = std::move(piece.rows)}});
    }
  }
  ReadAll(std::move(readings), here);
}

void LazyCore::ReadAll(std::vector<Reading> readings, bool here) {
  auto arrivals = std::make_shared<Arrivals>(readings.size() + 1);  // one more, so that it ends once
  const auto arrived = [self = shared_from_this(), arrivals] {
    if (arrivals->missing.fetch_sub(1) != 1) return;
    arrivals->parts.pop_back();
    self->FinishCollect(std::move(arrivals->parts));
  };
  for (size_t i = 0; i < readings.size(); ++i) {
    Reading& reading = readings[i];
    if (reading.there) {
      arrivals->parts[i] = *std::move(reading.there);
      arrived();
      continue;
    }
    origin_.store->Pull(reading.object, *reading.type, std::move(reading.selection),
                        [arrivals, arrived, i, store = origin_.store](absl::StatusOr<Pulled> pulled) {
                          arrivals->parts[i] = std::move(pulled);
                          // Joining may take long and may be the user's code: not on the service queue.
                          if (!store->collector().Post(arrived)) arrived();
                        });
  }
  if (here || origin_.store == nullptr || !origin_.store->collector().Post(arrived)) arrived();
}

absl::StatusOr<LazyCore::Arguments> LazyCore::MaterialiseAll(object::PulledParts pulled) const {
  Arguments parts;
  for (absl::StatusOr<Pulled>& part : pulled) {
    if (!part.ok()) return part.status();
    TWINKLE_ASSIGN_OR_RETURN(Argument value, object::Materialise(*std::move(part), PieceType()));
    parts.push_back(std::move(value));
  }
  return parts;
}

absl::Status LazyCore::Join(Arguments parts, void* out) const {
  const Type& collected = *origin_.collected;
  if (origin_.as_it_is && !view_) {
    TWINKLE_ASSIGN_OR_RETURN(Argument own, object::Own(collected, std::move(parts.at(0))));
    collected.move(out, own.value.get());
    return absl::OkStatus();
  }
  if (view_) {
    TWINKLE_ASSIGN_OR_RETURN(Argument joined, object::JoinPieces(*join_, collected, {parts.begin(), parts.end()}));
    TWINKLE_ASSIGN_OR_RETURN(joined, object::Own(collected, std::move(joined)));
    collected.move(out, joined.value.get());
    return absl::OkStatus();
  }
  if (origin_.own_collect != nullptr) {
    for (Argument& part : parts) {
      TWINKLE_ASSIGN_OR_RETURN(part, object::Own(*origin_.result, std::move(part)));
    }
  }
  std::vector<void*> results;
  for (const Argument& part : parts) results.push_back(part.value.get());
  if (origin_.own_collect != nullptr) {
    return origin_.own_collect(results, origin_.mesh.get(), out);
  }
  const bool move = std::all_of(parts.begin(), parts.end(), [](const Argument& part) { return part.exclusive; });
  return dispatch::JoinResults(origin_.rule, origin_.padding, *origin_.result, results, move, collected, out);
}

void LazyCore::FinishCollect(object::PulledParts pulled) {
  std::shared_ptr<void> answer = origin_.answer.make(absl::OkStatus());
  absl::Status status = codec::Guarded([&]() -> absl::Status {
    if (plan_) return JoinPlan(std::move(pulled), origin_.answer.value(answer.get()));
    TWINKLE_ASSIGN_OR_RETURN(Arguments parts, MaterialiseAll(std::move(pulled)));
    return Join(std::move(parts), origin_.answer.value(answer.get()));
  });
  if (status.ok()) return SetAnswer(std::move(answer), nullptr);
  status = base::Annotate(status, absl::StrCat("collecting ", origin_.what.text()));
  auto failure = origin_.failures != nullptr
                     ? origin_.failures->Add(status)
                     : std::make_shared<Failure>(status, std::vector<std::shared_ptr<Failure>>());
  SetAnswer(origin_.answer.make(status), std::move(failure));
}

void LazyCore::SetAnswer(std::shared_ptr<void> answer, std::shared_ptr<Failure> failure) {
  std::vector<base::Task> run;
  {
    base::MutexLock lock(&mutex_);
    answer_ = std::move(answer);
    if (failure != nullptr) status_ = failure->status();
    failure_ = std::move(failure);
    run.swap(on_answered_);
    To(Phase::kAnswered);
  }
  RunAll(std::move(run));
}

}  // namespace twinkle::internal

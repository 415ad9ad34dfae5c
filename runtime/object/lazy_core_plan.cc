// Lazies that are planned over others.
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/codec/guarded.h"
#include "runtime/object/assemble.h"
#include "runtime/object/lazy_core.h"

namespace twinkle::internal {

using object::LazyPlan;
using object::PlanPart;
using object::PlanSource;

namespace {

bool IsWhole(const codec::Rows& rows) { return codec::LeafCount(rows) == 0; }

// Its source's rows, all of them; none of the rest.
LazyPlan PlanOf(std::vector<PlanSource> sources, const std::vector<int64_t>& counts) {
  PlanPart part;
  part.whole = sources.size() == 1 && IsWhole(sources[0].rows);
  for (size_t i = 0; i < sources.size(); ++i) {
    if (counts[i] > 0 || i == 0) part.runs.push_back({i, 0, counts[i]});
  }
  if (part.runs.size() > 1 && part.runs[0].end == 0) part.runs.erase(part.runs.begin());
  return {std::move(sources), {std::move(part)}};
}

// -1: its lists and tensors have different numbers of rows.
int64_t CountOf(const codec::Rows& rows) {
  if (IsWhole(rows)) return 0;
  const absl::StatusOr<int64_t> count = codec::CommonRows(rows);
  return count.ok() ? *count : -1;
}

}  // namespace

std::shared_ptr<LazyCore> LazyCore::Planned(std::vector<std::shared_ptr<LazyCore>> inputs, const std::string& what,
                                            const Type& collected, AnswerOps answer, MakePlan make) {
  LazyOrigin origin;
  origin.what = what;
  origin.result = &collected;
  origin.collected = &collected;
  origin.answer = answer;
  for (const auto& input : inputs) {
    if (origin.store == nullptr) origin.store = input->origin_.store;
    if (origin.failures == nullptr) origin.failures = input->origin_.failures;
  }
  auto planned = std::make_shared<LazyCore>(std::move(origin));
  planned->planned_ = true;
  struct Waiting {
    Waiting(std::vector<std::shared_ptr<LazyCore>> over, MakePlan how)
        : inputs(std::move(over)), make(std::move(how)), missing(inputs.size()) {}
    const std::vector<std::shared_ptr<LazyCore>> inputs;
    const MakePlan make;
    std::atomic<size_t> missing;
  };
  const auto waiting = std::make_shared<Waiting>(std::move(inputs), std::move(make));
  const auto ready = [planned, waiting] {
    if (waiting->missing.fetch_sub(1) == 1) planned->SettlePlan(waiting->inputs, waiting->make);
  };
  for (const auto& input : waiting->inputs) {
    input->OnSettled([raw = input.get(), ready] {
      if (!raw->status().ok() || !raw->PlansOverValue()) return ready();
      raw->OnAnswered(ready);
    });
  }
  return planned;
}

bool LazyCore::PlansOverValue() const {
  if (plan_ || value() != nullptr || origin_.collected == nullptr) return false;
  if (!join_ || *join_ == object::Join::kList) return true;
  return std::any_of(shard_rows_.begin(), shard_rows_.end(), [](const codec::Rows& rows) { return CountOf(rows) < 0; });
}

// What there is to plan with: its own plan, its shards, or its value.
absl::StatusOr<LazyPlan> LazyCore::PlanOver() const {
  if (plan_) return *plan_;
  if (origin_.collected == nullptr)
    return absl::InvalidArgumentError(absl::StrCat(origin_.what.text(), " has no result"));
  std::vector<PlanSource> sources;
  std::vector<int64_t> counts;
  if (const std::shared_ptr<const void> own = value()) {
    // It shares this lazy, whose value nobody moves from then on.
    const std::shared_ptr<const void> kept(shared_from_this(), own.get());
    sources.push_back({nullptr, {origin_.collected, kept}, {}, codec::RowsOf(*origin_.collected, own.get())});
    counts.push_back(CountOf(sources[0].rows));
    if (counts[0] < 0) return codec::CommonRows(sources[0].rows).status();
    return PlanOf(std::move(sources), counts);
  }
  for (size_t i = 0; i < shards_.size(); ++i) {
    sources.push_back({shards_[i].object, {}, {}, shard_rows_[i]});
    counts.push_back(CountOf(shard_rows_[i]));
  }
  LazyPlan plan = PlanOf(std::move(sources), counts);
  return view_ ? object::TakeRange(plan, *view_) : plan;
}

void LazyCore::SettlePlan(const std::vector<std::shared_ptr<LazyCore>>& inputs, const MakePlan& make) {
  absl::Status first;
  std::vector<std::shared_ptr<object::Failure>> causes;
  for (const auto& input : inputs) {
    if (const absl::Status failed = input->status(); !failed.ok()) {
      if (first.ok()) first = failed;
      causes.push_back(input->failure());
    }
  }
  if (!first.ok()) return Fail(first, std::move(causes));
  absl::StatusOr<LazyPlan> plan = codec::Guarded([&]() -> absl::StatusOr<LazyPlan> {
    std::vector<LazyPlan> plans;
    for (const auto& input : inputs) {
      if (input->origin_.store != nullptr) {
        TWINKLE_RETURN_IF_ERROR(object::CheckSameJob(input->origin_.store->job(), origin_.store->job()));
      }
      TWINKLE_ASSIGN_OR_RETURN(LazyPlan one, input->PlanOver());
      plans.push_back(std::move(one));
    }
    return make(std::move(plans));
  });
  if (!plan.ok()) return Fail(base::Annotate(plan.status(), origin_.what.text()));
  Following following;
  {
    base::MutexLock lock(&mutex_);
    if (phase_ != Phase::kPending) return;
    plan_ = object::Pruned(*std::move(plan));
    Settle(Phase::kSettled, &following);
  }
  following.Run();
}

void LazyCore::ReadPlan(bool here) {
  const bool copies = std::any_of(plan_->sources.begin(), plan_->sources.end(),
                                  [](const PlanSource& source) { return source.object == nullptr; });
  if (!here && copies && origin_.store != nullptr &&  // values of the user's are not copied on the service queue
      origin_.store->collector().Post([self = shared_from_this()] { self->ReadPlan(true); })) {
    return;
  }
  reads_ = object::ReadsOf(*plan_);
  const std::shared_ptr<void> any = origin_.collected->make();
  std::vector<Reading> readings;
  for (const object::PartRead& read : reads_) {
    const Type& type = *codec::MemberAt(*origin_.collected, any.get(), read.target)->type;
    for (const object::PartRead::Piece& piece : read.pieces) {
      const PlanSource& source = plan_->sources[piece.source];
      object::Selection selection{source.path, std::nullopt, piece.picks};
      if (source.object != nullptr) {
        readings.push_back({std::nullopt, source.object->ref(), &type, std::move(selection)});
        continue;
      }
      const auto some = codec::Guarded([&] { return object::Select(source.value, selection); });
      readings.push_back(
          {.there = some.ok() ? absl::StatusOr<object::Pulled>(object::Pulled{some->value, {}}) : some.status()});
    }
  }
  ReadAll(std::move(readings), here);
}

absl::Status LazyCore::JoinPlan(object::PulledParts pulled, void* out) const {
  TWINKLE_ASSIGN_OR_RETURN(Argument made, object::AssembleParts(reads_, *origin_.collected, std::move(pulled)));
  TWINKLE_ASSIGN_OR_RETURN(made, object::Own(*origin_.collected, std::move(made)));
  origin_.collected->move(out, made.value.get());
  return absl::OkStatus();
}

}  // namespace twinkle::internal

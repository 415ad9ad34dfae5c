// Lazies that are made of others.
#include <absl/strings/str_cat.h>

#include <atomic>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/codec/guarded.h"
#include "runtime/object/lazy_core.h"

namespace twinkle::internal {

using codec::Range;
using object::LazyPlan;

namespace {

LazyOrigin OriginOver(const std::vector<std::shared_ptr<LazyCore>>& inputs, const std::string& what,
                      const Type& collected, AnswerOps answer) {
  LazyOrigin origin;
  origin.what = what;
  origin.result = &collected;
  origin.collected = &collected;
  origin.answer = answer;
  for (const auto& input : inputs) {
    if (origin.store == nullptr) origin.store = input->origin().store;
    if (origin.failures == nullptr) origin.failures = input->origin().failures;
  }
  return origin;
}

}  // namespace

// ---- rows of one
std::shared_ptr<LazyCore> LazyCore::Rows(const std::shared_ptr<LazyCore>& source, int64_t begin, int64_t end) {
  const std::string what = absl::StrCat("rows [", begin, ", ", end, ") of ", source->origin_.what.text());
  auto rows = std::make_shared<LazyCore>(OriginOver({source}, what, *source->type(), source->origin_.answer));
  const Range range{begin, end};
  source->OnSettled([rows, source, range] {
    if (!source->status().ok() || source->made_of_.CanPlan()) return rows->SettleRows(*source, range);
    source->OnAnswered([rows, source, range] { rows->SettleRows(*source, range); });
  });
  return rows;
}

// Runs once the source has settled, and was answered when nothing can be planned over it otherwise. Rows of a value
// that is here are copied at once: the rest of it need not stay for them.
void LazyCore::SettleRows(const LazyCore& source, Range range) {
  if (const absl::Status failed = source.status(); !failed.ok()) return Fail(failed, {source.failure()});
  const bool here = !source.made_of_.CanPlan();
  const codec::Described whole{origin_.collected, here ? source.value() : nullptr};
  absl::StatusOr<LazyPlan> plan = here ? object::PlanOfValue(whole) : source.made_of_.Plan();
  if (plan.ok()) plan = object::TakeRange(*plan, range);
  if (!here || !plan.ok()) return SettleAs(std::move(plan));
  const std::shared_ptr<void> part = whole.type->make();
  const absl::Status taken = codec::Take(*whole.type, part.get(), whole.value.get(), {range});
  if (!taken.ok()) return Fail(taken);
  SucceedWith(part);
}

// ---- planned over several
std::shared_ptr<LazyCore> LazyCore::Planned(std::vector<std::shared_ptr<LazyCore>> inputs, const std::string& what,
                                            const Type& collected, AnswerOps answer, MakePlan make) {
  auto planned = std::make_shared<LazyCore>(OriginOver(inputs, what, collected, answer));
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
  return origin_.collected != nullptr && value() == nullptr && !made_of_.CanPlan();
}

// What there is to plan with: its own plan, its value, or its shards.
absl::StatusOr<LazyPlan> LazyCore::PlanOver() const {
  if (origin_.collected == nullptr)
    return absl::InvalidArgumentError(absl::StrCat(origin_.what.text(), " has no result"));
  const std::shared_ptr<const void> own = value();
  if (made_of_.plan || own == nullptr) return made_of_.Plan();
  // It shares this lazy, whose value nobody moves from then on.
  return object::PlanOfValue({origin_.collected, std::shared_ptr<const void>(shared_from_this(), own.get())});
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
  SettleAs(std::move(plan));
}

void LazyCore::SettleAs(absl::StatusOr<LazyPlan> plan) {
  if (!plan.ok()) return Fail(base::Annotate(plan.status(), origin_.what.text()));
  object::LazyRows made_of;
  made_of.plan = object::Pruned(*std::move(plan));
  SucceedAs(std::move(made_of));
}

}  // namespace twinkle::internal

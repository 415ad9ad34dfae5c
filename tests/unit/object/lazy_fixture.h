// Lazies over objects of a fake store, and what to ask them.
#pragma once

#include <twinkle/lazy.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/stepped_executor.h"
#include "runtime/object/failure_log.h"
#include "runtime/object/lazy_core.h"
#include "tests/unit/object/fake_store.h"

namespace twinkle::object {

using internal::LazyCore;
using internal::LazyOrigin;
using LazyPtr = std::shared_ptr<LazyCore>;

// Nothing in it waits: pulls are answered, and "collect" is stepped, by the test.
struct LazyFixture {
  base::SteppedExecutor executor;
  const std::unique_ptr<base::TaskQueue> collector = executor.NewQueue("collect");
  const std::shared_ptr<FakeStore> store = std::make_shared<FakeStore>(collector.get());
  const std::shared_ptr<FailureLog> failures = std::make_shared<FailureLog>(nullptr, nullptr);

  // R: of a shard; C: of the collected value.
  template <class R, class C>
  LazyOrigin Origin(Collect rule) const {
    LazyOrigin origin;
    origin.what = std::string("Policy.Train [train.cc:7]");
    origin.result = internal::CollectedTypeOf<R>();
    origin.collected = internal::CollectedTypeOf<C>();
    origin.rule = rule;
    origin.answer = internal::AnswerOpsFor<C>();
    origin.store = store;
    origin.failures = failures;
    return origin;
  }
  template <class R, class C>
  LazyPtr New(Collect rule) const {
    return std::make_shared<LazyCore>(Origin<R, C>(rule));
  }
  LazyPtr NewVoid() const { return New<void, void>(Collect::kFirst); }
  // The lists flattened, to be pulled.
  LazyPtr Lists(const std::vector<std::vector<int>>& lists, bool carried = false) const {
    LazyPtr lazy = New<std::vector<int>, std::vector<int>>(Collect::kFlatten);
    Shards shards;
    for (const auto& list : lists) shards.push_back(store->KeepValue(list, carried));
    lazy->Succeed(std::move(shards));
    return lazy;
  }
  // Lets everything that was asked for arrive.
  void Finish() {
    for (int i = 0; i < 10; ++i) {
      store->Answer();
      executor.RunAll();
    }
  }
  // The value, fetched if need be, without waiting for anything. Null after a failure.
  template <class C>
  const C* Fetch(const LazyPtr& lazy) {
    lazy->OnAnswered([] {});
    Finish();
    return static_cast<const C*>(lazy->value().get());
  }
};

// Counts how often it was run.
struct Counter {
  std::shared_ptr<int> count = std::make_shared<int>(0);
  auto task() const {
    return [count = count] { ++*count; };
  }
  int runs() const { return *count; }
};

}  // namespace twinkle::object

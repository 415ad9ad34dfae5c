#include "runtime/base/stepped_executor.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

using Names = std::vector<std::string>;

// Queues "a" and "b", and what their tasks noted.
struct Two {
  SteppedExecutor executor;
  const std::unique_ptr<TaskQueue> a = executor.NewQueue("a");
  const std::unique_ptr<TaskQueue> b = executor.NewQueue("b");
  Names ran;

  void Fill(int each) {
    for (int i = 1; i <= each; ++i) {
      Note(*a, "a" + std::to_string(i));
      Note(*b, "b" + std::to_string(i));
    }
  }
  void Note(TaskQueue& queue, std::string name) {
    queue.Post([this, name = std::move(name)] { ran.push_back(name); });
  }
};

TEST_CASE("nothing runs until its queue is stepped, by name") {
  Two two;
  two.Fill(2);
  CHECK(two.ran.empty());
  CHECK(two.executor.Ready() == Names{"a", "b"});
  CHECK(two.executor.Step("b"));
  CHECK(two.executor.Step("b"));
  CHECK_FALSE(two.executor.Step("b"));
  CHECK_FALSE(two.executor.Step("c"));
  CHECK(two.ran == Names{"b1", "b2"});
  CHECK(two.executor.Ready() == Names{"a"});
}

TEST_CASE("Drain runs a queue until it has nothing to do, with what its tasks post") {
  Two two;
  two.a->Post([&] {
    two.ran.emplace_back("first");
    two.Note(*two.a, "posted");
    two.Note(*two.b, "elsewhere");
  });
  two.executor.Drain("a");
  CHECK(two.ran == Names{"first", "posted"});
}

TEST_CASE("RunAll gives each queue one step in turn and leaves those named alone") {
  Two two;
  two.Fill(2);
  two.executor.RunAll({"b"});
  CHECK(two.ran == Names{"a1", "a2"});
  two.Fill(2);
  two.ran.clear();
  two.executor.RunAll();
  CHECK(two.ran == Names{"a1", "b1", "a2", "b2", "b1", "b2"});
  CHECK(two.executor.Ready().empty());
}

TEST_CASE("RunAll reaches queues that are made while it runs") {
  Two two;
  std::unique_ptr<TaskQueue> made;
  two.a->Post([&] {
    made = two.executor.NewQueue("made");
    two.Note(*made, "in the new one");
  });
  two.executor.RunAll();
  CHECK(two.ran == Names{"in the new one"});
}

TEST_CASE("RunRandomly keeps each queue's order, and one seed gives one order") {
  const auto run = [](uint64_t seed) {
    Two two;
    two.Fill(20);
    two.executor.RunRandomly(seed);
    return two.ran;
  };
  const Names ran = run(1);
  CHECK(ran == run(1));
  CHECK(ran != run(2));
  Names of_a;
  for (const std::string& name : ran) {
    if (name[0] == 'a') of_a.push_back(name);
  }
  REQUIRE(of_a.size() == 20);
  for (size_t i = 0; i < of_a.size(); ++i) CHECK(of_a[i] == "a" + std::to_string(i + 1));
}

TEST_CASE("time stands still until it is moved; due timers become tasks in the order of their times") {
  Two two;
  const base::Instant start = two.executor.Now();
  two.a->PostAfter(absl::Seconds(2), [&] { two.ran.emplace_back("two"); });
  two.a->PostAfter(absl::Seconds(1), [&] { two.ran.emplace_back("one"); });
  two.a->PostAfter(absl::Seconds(1), [&] { two.ran.emplace_back("one again"); });
  two.a->PostAfter(absl::Seconds(3), [&] { two.ran.emplace_back("three"); });
  two.executor.RunAll();
  CHECK(two.ran.empty());
  CHECK(two.executor.Now() == start);
  two.executor.Advance(absl::Seconds(2));
  CHECK(two.executor.Now() == start + absl::Seconds(2));
  CHECK(two.ran.empty());
  two.executor.RunAll();
  CHECK(two.ran == Names{"one", "one again", "two"});
}

TEST_CASE("a task is in its queue, also while it steps another") {
  Two two;
  Names inside;
  const auto look = [&] {
    if (two.a->InQueue()) inside.emplace_back("a");
    if (two.b->InQueue()) inside.emplace_back("b");
    inside.emplace_back(".");
  };
  two.b->Post(look);
  two.a->Post([&] {
    look();
    two.executor.Step("b");
    look();
  });
  two.executor.Step("a");
  look();
  CHECK(inside == Names{"a", ".", "a", "b", ".", "a", ".", "."});
}

TEST_CASE("closed and abandoned queues drop tasks and timers and take no more") {
  for (const bool abandon : {false, true}) {
    Two two;
    const auto kept = std::make_shared<int>();
    two.a->Post([kept] {});
    two.a->PostAfter(absl::Seconds(1), [kept] {});
    if (abandon) {
      two.a->Abandon();
    } else {
      two.a->Close();
    }
    CHECK(kept.use_count() == 1);
    CHECK_FALSE(two.a->Post([kept] {}));
    two.a->PostAfter(absl::ZeroDuration(), [kept] {});
    CHECK(kept.use_count() == 1);
    two.executor.Advance(absl::Seconds(2));
    CHECK(two.executor.Ready().empty());
    CHECK_FALSE(two.executor.Step("a"));
  }
}

TEST_CASE("a name that is free again finds the new queue") {
  Two two;
  two.a->Close();
  const auto again = two.executor.NewQueue("a");
  two.Note(*again, "new");
  CHECK(two.executor.Step("a"));
  CHECK(two.ran == Names{"new"});
}

}  // namespace
}  // namespace twinkle::base

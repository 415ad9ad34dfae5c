// Stepped. Numbers are those of the invariants in awake_timers.h.
#include "worker/awake_timers.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "tests/support/catch.h"

namespace twinkle::worker {
namespace {

// Timers on a clock of their own.
struct AwakeSteps {
  // Everything is awake, or everything sleeps and what is due runs late.
  void Pass(absl::Duration time) {
    for (const base::Instant end = now + time; now < end;) {
      now = posted.empty() ? end : std::min(end, std::max(now, posted.begin()->first));
      RunDue();
    }
  }
  void Sleep(absl::Duration time) {
    now += time;
    RunDue();
  }
  void RunDue() {
    while (!posted.empty() && posted.begin()->first <= now) {
      const auto due = posted.extract(posted.begin());
      due.mapped()();
    }
  }
  void After(absl::Duration wait, const std::string& what) {
    timers.After(wait, [this, what] { done += what; });
  }

  base::Instant now;
  std::multimap<base::Instant, base::Task> posted;
  std::string done;
  AwakeTimers timers{[this](absl::Duration wait, base::Task task) { posted.emplace(now + wait, std::move(task)); },
                     [this] { return now; }};
};

TEST_CASE("tasks run in the order of their times, once, and nothing is posted afterwards (AW1, AW2)") {
  AwakeSteps steps;
  steps.After(absl::Seconds(20), "c");
  steps.After(absl::Milliseconds(1500), "b");
  steps.After(absl::Milliseconds(2), "a");
  CHECK(steps.done.empty());
  steps.Pass(absl::Milliseconds(2));
  CHECK(steps.done == "a");
  steps.Pass(absl::Milliseconds(1497));
  CHECK(steps.done == "a");
  steps.Pass(absl::Milliseconds(1));
  CHECK(steps.done == "ab");
  steps.Pass(absl::Seconds(18));
  CHECK(steps.done == "ab");
  steps.Pass(absl::Seconds(1));
  CHECK(steps.done == "abc");
  steps.Pass(absl::Hours(1));
  CHECK(steps.posted.empty());
  CHECK(steps.done == "abc");
}

TEST_CASE("what everything has slept counts for nobody (AW1)") {
  for (const absl::Duration slept : {absl::Seconds(5), absl::Seconds(30), absl::Hours(100)}) {
    AwakeSteps steps;
    steps.After(absl::Seconds(20), "x");
    steps.Pass(absl::Seconds(10));
    steps.Sleep(slept);
    steps.Pass(absl::Seconds(8));  // what sleeps takes up to a pulse of those that are left
    CHECK(steps.done.empty());
    steps.Pass(absl::Seconds(2));
    CHECK(steps.done == "x");
  }
}

TEST_CASE("what was slept while nothing waited does not count, nor make a later wait longer (AW2)") {
  AwakeSteps steps;
  steps.Sleep(absl::Hours(5));
  steps.After(absl::Seconds(3), "x");
  steps.Pass(absl::Milliseconds(2900));
  CHECK(steps.done.empty());
  steps.Pass(absl::Milliseconds(200));
  CHECK(steps.done == "x");
}

TEST_CASE("a task may ask for another (AW1)") {
  AwakeSteps steps;
  steps.timers.After(absl::Seconds(1), [&] {
    steps.done += "x";
    steps.After(absl::ZeroDuration(), "y");
  });
  steps.Pass(absl::Seconds(2));
  CHECK(steps.done == "xy");
}

}  // namespace
}  // namespace twinkle::worker

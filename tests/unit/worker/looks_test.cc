// Stepped. Numbers are those of the invariants in looks.h.
#include "worker/looks.h"

#include <unistd.h>

#include <deque>
#include <map>
#include <utility>

#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"

namespace twinkle::worker {
namespace {

// A loop with a clock of its own, and a kernel that says of each process that it is stopped.
struct Steps {
  void Pass(absl::Duration time) {
    now += time;
    while (!timers_due.empty() && timers_due.begin()->first <= now) {
      const auto due = timers_due.extract(timers_due.begin());
      due.mapped()();
    }
  }
  void RunLoop() {
    while (!posted.empty()) {
      base::Task task = std::move(posted.front());
      posted.pop_front();
      task();
    }
  }
  // What was asked for is read, and comes back.
  void Finish() {
    executor.Drain("looks");
    RunLoop();
  }
  bool Asked() const { return !executor.Ready().empty(); }

  base::Instant now;
  std::multimap<base::Instant, base::Task> timers_due;
  std::deque<base::Task> posted;
  base::SteppedExecutor executor;
  AwakeTimers timers{[this](absl::Duration wait, base::Task task) { timers_due.emplace(now + wait, std::move(task)); },
                     [this] { return now; }};
  SideThreads threads{&executor, [this](base::Task task) { posted.push_back(std::move(task)); }};
  Looks::Pids pids;
  std::vector<std::pair<Looks::Glances, base::Instant>> seen;
  Looks looks{absl::Seconds(1),
              &timers,
              &threads,
              {[this] { return pids; },
               [this](const Looks::Glances& glances, base::Instant awake) { seen.emplace_back(glances, awake); }},
              [](const Looks::Pids& asked) {
                Looks::Glances glances;
                for (const auto& [key, pid] : asked) {
                  glances.emplace_back(key, Glance{.stopped = true, .traced = true, .tracer = pid, .times_paused = 0});
                }
                return glances;
              }};
};

TEST_CASE("whoever is there is looked at now and then, as long as somebody is (LK2)") {
  Steps steps;
  steps.pids = {{10, 1010}, {11, 1011}};
  steps.looks.Begin();
  steps.looks.Begin();  // of another one
  steps.Pass(absl::Milliseconds(999));
  CHECK_FALSE(steps.Asked());
  steps.Pass(absl::Milliseconds(1));
  REQUIRE(steps.Asked());
  steps.Finish();
  REQUIRE(steps.seen.size() == 1);
  const Looks::Glances& glances = steps.seen[0].first;
  REQUIRE(glances.size() == 2);
  CHECK(glances[1].first == 11);
  CHECK(glances[1].second.tracer == 1011);
  steps.pids.clear();
  steps.Pass(absl::Milliseconds(1100));
  CHECK_FALSE(steps.Asked());
  steps.Pass(absl::Seconds(5));
  CHECK(steps.timers_due.empty());
  steps.pids = {{12, 1012}};
  steps.looks.Begin();
  steps.Pass(absl::Seconds(1));
  CHECK(steps.Asked());
}

TEST_CASE("a look that hangs is the only one (LK1)") {
  Steps steps;
  steps.pids = {{10, 1010}};
  steps.looks.Begin();
  steps.Pass(absl::Seconds(1));
  steps.Pass(absl::Hours(1));
  CHECK(steps.timers_due.empty());
  CHECK(steps.threads.running() == 1);
  steps.Finish();
  CHECK(steps.seen.size() == 1);
  steps.Pass(absl::Milliseconds(1001));
  CHECK(steps.Asked());
}

TEST_CASE("many are looked at less often (LK3)") {
  Steps steps;
  for (uint64_t key = 0; key < 1000; ++key) steps.pids.emplace_back(key, 1000 + key);
  steps.looks.Begin();
  steps.Pass(absl::Seconds(1));
  steps.Finish();
  CHECK(steps.seen.size() == 1);
  steps.Pass(absl::Milliseconds(1000));
  steps.Pass(absl::Milliseconds(999));
  CHECK_FALSE(steps.Asked());
  steps.Pass(absl::Milliseconds(1));
  CHECK(steps.Asked());
}

TEST_CASE("the kernel is asked of each, and who is not there is left out") {
  const pid_t nobody = 0x7fffffff;  // more than the kernel gives
  const Looks::Glances glances = Looks::AskKernel({{10, ::getpid()}, {11, nobody}});
  REQUIRE(glances.size() == 1);
  CHECK(glances[0].first == 10);
  CHECK_FALSE(glances[0].second.stopped);
}

TEST_CASE("what everything has slept is no time awake") {
  Steps steps;
  steps.pids = {{10, 1010}};
  steps.looks.Begin();
  steps.Pass(absl::Seconds(1));
  steps.Finish();
  steps.Pass(absl::Hours(1));
  steps.Pass(absl::Seconds(1));
  steps.Finish();
  REQUIRE(steps.seen.size() == 2);
  CHECK(steps.seen[1].second - steps.seen[0].second <= absl::Seconds(2));
}

}  // namespace
}  // namespace twinkle::worker

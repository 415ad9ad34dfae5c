#include "worker/side_threads.h"

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"

namespace twinkle::worker {
namespace {

struct Loop {
  void Run() {
    while (!tasks.empty()) {
      base::Task task = std::move(tasks.front());
      tasks.pop_front();
      task();
    }
  }
  SideThreads::Post post() {
    return [this](base::Task task) { tasks.push_back(std::move(task)); };
  }
  std::deque<base::Task> tasks;
};

// One that has no thread to give.
class Exhausted final : public base::Executor {
 public:
  std::unique_ptr<base::TaskQueue> NewQueue(std::string) override { return nullptr; }
  base::Instant Now() const override { return base::Now(); }
};

TEST_CASE("work runs on its own thread, what follows on the loop") {
  base::SteppedExecutor executor;
  Loop loop;
  SideThreads threads(&executor, loop.post());
  int worked = 0, done = 0;
  CHECK(threads
            .Run(
                "one", [&] { ++worked; }, [&] { ++done; })
            .ok());
  CHECK(threads
            .Run(
                "two", [&] { ++worked; }, [&] { ++done; })
            .ok());
  CHECK(threads.running() == 2);
  executor.Drain("two");
  CHECK(worked == 1);
  CHECK(done == 0);
  loop.Run();
  CHECK(done == 1);
  CHECK(threads.running() == 1);
}

TEST_CASE("work that hangs is left behind at the end, and what it does later harms nobody") {
  const std::unique_ptr<base::Executor> executor = base::NewThreadExecutor();
  const auto began = std::make_shared<base::Event>();
  const auto may_go_on = std::make_shared<base::Event>();
  const auto went_on = std::make_shared<base::Event>();
  {
    SideThreads threads(executor.get(), [](base::Task) {});
    const absl::Status begun = threads.Run("hangs", [began, may_go_on, went_on] {
      began->Set();
      may_go_on->WaitUntil(base::kForever);
      went_on->Set();
    });
    CHECK(begun.ok());
    CHECK(began->WaitUntil(base::Now() + absl::Seconds(30)));
  }
  may_go_on->Set();
  CHECK(went_on->WaitUntil(base::Now() + absl::Seconds(30)));
}

TEST_CASE("where no thread can be had nothing runs, and the answer says so") {
  Exhausted executor;
  Loop loop;
  SideThreads threads(&executor, loop.post());
  CHECK(absl::IsResourceExhausted(threads.Run(
      "one", [] { FAIL(); }, [] { FAIL(); })));
  CHECK(threads.running() == 0);
}

}  // namespace
}  // namespace twinkle::worker

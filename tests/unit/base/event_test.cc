#include "runtime/base/event.h"

#include <thread>
#include <vector>

#include "runtime/base/clock.h"
#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

TEST_CASE("an event is set once and for all") {
  Event event;
  CHECK_FALSE(event.IsSet());
  event.Set();
  CHECK(event.IsSet());
  event.Set();
  CHECK(event.IsSet());
}

TEST_CASE("waiting ends at the deadline, or at once when the event is set") {
  Event event;
  CHECK_FALSE(event.WaitUntil(base::kLongAgo));
  CHECK_FALSE(event.WaitUntil(base::Now()));
  event.Set();
  CHECK(event.WaitUntil(base::kLongAgo));
  CHECK(event.WaitUntil(base::kForever));
}

TEST_CASE("what happened before Set is seen by all who wait") {
  Event event;
  int written = 0;  // no lock of its own
  std::vector<int> seen(4, -1);
  std::vector<std::thread> threads;
  for (int& mine : seen) {
    threads.emplace_back([&event, &written, &mine] {
      if (event.WaitUntil(base::Now() + absl::Seconds(60))) mine = written;
    });
  }
  written = 7;
  event.Set();
  for (std::thread& thread : threads) thread.join();
  CHECK(seen == std::vector<int>{7, 7, 7, 7});
}

}  // namespace
}  // namespace twinkle::base

#include "runtime/base/shared_queue.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

base::Instant Soon() { return base::Now() + absl::Seconds(30); }

TEST_CASE("a task runs in the thread that posts it, before Post returns, when nothing else is under way") {
  SharedQueue queue("test");
  std::thread::id ran;
  CHECK(queue.Post([&] {
    ran = std::this_thread::get_id();
    CHECK(queue.InQueue());
  }));
  CHECK(ran == std::this_thread::get_id());
  CHECK_FALSE(queue.InQueue());
}

TEST_CASE("what a task posts runs after it, in order (SQ1)") {
  SharedQueue queue("test");
  std::vector<int> order;
  queue.Post([&] {
    queue.Post([&] { order.push_back(2); });
    queue.Post([&] { order.push_back(3); });
    order.push_back(1);
  });
  CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("tasks of many threads run one at a time, each thread's in its order, and all of them (SQ1, SQ2)") {
  SharedQueue queue("test");
  constexpr int kThreads = 4;
  constexpr int kTasks = 5000;
  std::vector<std::vector<int>> seen(kThreads);
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kTasks; ++i) {
        queue.Post([&, thread, i] {
          if (++inside != 1) overlapped = true;
          seen[static_cast<size_t>(thread)].push_back(i);
          --inside;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto done = std::make_shared<Event>();
  queue.Post([done] { done->Set(); });
  REQUIRE(done->WaitUntil(Soon()));
  CHECK_FALSE(overlapped);
  for (const auto& one : seen) {
    REQUIRE(one.size() == kTasks);
    CHECK(std::is_sorted(one.begin(), one.end()));
  }
}

TEST_CASE("who posts is not kept for ever: the queue's own thread takes over (SQ2)") {
  SharedQueue queue("test");
  const auto ended = std::make_shared<Event>();
  std::atomic<int> left = 1000;
  std::thread::id last;
  std::function<void()> again = [&] {
    last = std::this_thread::get_id();
    if (--left > 0) {
      queue.Post(again);
    } else {
      ended->Set();
    }
  };
  queue.Post(again);
  REQUIRE(ended->WaitUntil(Soon()));
  CHECK(last != std::this_thread::get_id());
  queue.Close();
}

TEST_CASE("timers run on the queue's own thread, in their order, and not after Close") {
  SharedQueue queue("test");
  const auto second = std::make_shared<Event>();
  std::vector<int> order;
  queue.PostAfter(absl::Milliseconds(20), [&, second] {
    order.push_back(2);
    second->Set();
  });
  queue.PostAfter(absl::Milliseconds(1), [&] { order.push_back(1); });
  REQUIRE(second->WaitUntil(Soon()));
  CHECK(order == std::vector<int>{1, 2});
  bool late = false;
  queue.PostAfter(absl::Milliseconds(5), [&] { late = true; });
  queue.Close();
  CHECK_FALSE(queue.Post([&] { late = true; }));
  CHECK_FALSE(late);
}

TEST_CASE("Close waits for the task under way, but for its own; what had not begun is dropped") {
  auto queue = std::make_unique<SharedQueue>("test");
  const auto begun = std::make_shared<Event>();
  const auto release = std::make_shared<Event>();
  std::atomic<bool> ended = false;
  std::thread runner([&] {
    queue->Post([&] {
      begun->Set();
      release->WaitUntil(Soon());
      ended = true;
    });
  });
  REQUIRE(begun->WaitUntil(Soon()));
  bool dropped = true;
  queue->Post([&] { dropped = false; });
  std::thread closer([&] {
    queue->Close();
    CHECK(ended);
  });
  while (queue->Post([&] { dropped = false; })) std::this_thread::yield();  // until it is closing
  release->Set();
  closer.join();
  runner.join();
  CHECK(dropped);
  SharedQueue own("test");
  own.Post([&] { own.Close(); });
  CHECK_FALSE(own.Post([] {}));
}

}  // namespace
}  // namespace twinkle::base

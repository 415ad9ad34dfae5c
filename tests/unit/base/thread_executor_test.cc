#include <absl/time/time.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/executor.h"
#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

bool Await(const Event& event) { return event.WaitUntil(base::Now() + absl::Seconds(60)); }

// Tells when it is destroyed.
class Token {
 public:
  explicit Token(std::function<void()> gone) : gone_(std::move(gone)) {}
  ~Token() { gone_(); }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

 private:
  const std::function<void()> gone_;
};

struct Queue {
  const std::unique_ptr<Executor> executor = NewThreadExecutor();
  const std::unique_ptr<TaskQueue> queue = executor->NewQueue("a name of more than fifteen characters");
};

// A queue whose first task is under way until `release` is set.
struct Busy : Queue {
  const std::shared_ptr<Event> begun = std::make_shared<Event>();
  const std::shared_ptr<Event> release = std::make_shared<Event>();
  const std::shared_ptr<Event> ended = std::make_shared<Event>();
  Busy() {
    queue->Post([begun = begun, release = release, ended = ended] {
      begun->Set();
      Await(*release);
      ended->Set();
    });
    Await(*begun);
  }
  ~Busy() { release->Set(); }
};

TEST_CASE("tasks run in the order posted, on one thread that is not the poster's") {
  Event done;  // outlives the thread that sets it
  Queue q;
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  for (int i = 0; i < 1000; ++i) {
    CHECK(q.queue->Post([&, i] {
      order.push_back(i);
      threads.push_back(std::this_thread::get_id());
    }));
  }
  q.queue->Post([&] { done.Set(); });
  REQUIRE(Await(done));
  REQUIRE(order.size() == 1000);
  for (int i = 0; i < 1000; ++i) CHECK(order[static_cast<size_t>(i)] == i);
  CHECK(threads.front() == threads.back());
  CHECK(threads.front() != std::this_thread::get_id());
}

TEST_CASE("tasks of several posters run one at a time, each poster's in its order") {
  Event done;  // outlives the thread that sets it
  Queue q;
  constexpr int kPosters = 4;
  constexpr int kEach = 300;
  std::atomic<int> inside = 0;
  std::atomic<bool> alone = true;
  std::map<int, std::vector<int>> ran;  // no lock: one task at a time
  std::vector<std::thread> posters;
  for (int poster = 0; poster < kPosters; ++poster) {
    posters.emplace_back([&, poster] {
      for (int i = 0; i < kEach; ++i) {
        q.queue->Post([&, poster, i] {
          if (inside.fetch_add(1) != 0) alone = false;
          ran[poster].push_back(i);
          inside.fetch_sub(1);
        });
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  q.queue->Post([&] { done.Set(); });
  REQUIRE(Await(done));
  CHECK(alone);
  for (int poster = 0; poster < kPosters; ++poster) {
    REQUIRE(ran[poster].size() == kEach);
    for (int i = 0; i < kEach; ++i) CHECK(ran[poster][static_cast<size_t>(i)] == i);
  }
}

TEST_CASE("a task may post, and knows the queue that it runs on") {
  Event done;  // outlives the thread that sets it
  Queue q;
  Queue other;
  bool here = false;
  bool there = true;
  q.queue->Post([&] {
    here = q.queue->InQueue();
    there = other.queue->InQueue();
    q.queue->Post([&] { done.Set(); });
  });
  REQUIRE(Await(done));
  CHECK(here);
  CHECK_FALSE(there);
  CHECK_FALSE(q.queue->InQueue());
}

TEST_CASE("timers run when they are due, in the order in which they are") {
  Event done;  // outlives the thread that sets it
  Queue q;
  const base::Instant before = q.executor->Now();
  std::vector<std::string> order;
  base::Instant ran;
  q.queue->PostAfter(absl::Milliseconds(20), [&] {
    ran = q.executor->Now();
    order.push_back("late");
    done.Set();
  });
  q.queue->PostAfter(absl::Milliseconds(2), [&] { order.push_back("early"); });
  q.queue->PostAfter(absl::Milliseconds(-5), [&] { order.push_back("at once"); });
  q.queue->PostAfter(absl::InfiniteDuration(), [&] { order.push_back("never"); });
  REQUIRE(Await(done));
  CHECK(order == std::vector<std::string>{"at once", "early", "late"});
  CHECK(ran - before >= absl::Milliseconds(20));
}

TEST_CASE("Close drops what has not begun and waits for what has") {
  Busy busy;
  Event dropped;
  Event timer_dropped;
  bool ran = false;
  busy.queue->Post([&ran, token = std::make_unique<Token>([&] { dropped.Set(); })] { ran = true; });
  busy.queue->PostAfter(absl::Hours(1),
                        [&ran, token = std::make_unique<Token>([&] { timer_dropped.Set(); })] { ran = true; });
  bool had_ended = false;
  std::thread closer([&] {
    busy.queue->Close();
    had_ended = busy.ended->IsSet();
  });
  CHECK(Await(dropped));  // while the first task is still under way
  CHECK(Await(timer_dropped));
  CHECK_FALSE(busy.ended->IsSet());
  CHECK_FALSE(busy.queue->Post([&] { ran = true; }));
  busy.release->Set();
  closer.join();
  CHECK(had_ended);
  CHECK_FALSE(ran);
}

TEST_CASE("a closed queue takes nothing and destroys what it is given") {
  Queue q;
  q.queue->Close();
  q.queue->Close();
  bool ran = false;
  bool destroyed = false;
  CHECK_FALSE(q.queue->Post([&ran, token = std::make_unique<Token>([&] { destroyed = true; })] { ran = true; }));
  CHECK(destroyed);
  destroyed = false;
  q.queue->PostAfter(absl::ZeroDuration(),
                     [&ran, token = std::make_unique<Token>([&] { destroyed = true; })] { ran = true; });
  CHECK(destroyed);
  CHECK_FALSE(ran);
}

TEST_CASE("a task may close its own queue: nothing after it runs") {
  Queue q;
  const auto done = std::make_shared<Event>();  // the thread that sets it ends by itself
  const auto dropped = std::make_shared<Event>();
  bool ran = false;
  Event posted;
  q.queue->Post([&posted, &q, done] {
    Await(posted);
    q.queue->Close();
    done->Set();
  });
  q.queue->Post([&ran, token = std::make_unique<Token>([dropped] { dropped->Set(); })] { ran = true; });
  posted.Set();
  REQUIRE(Await(*done));
  CHECK(Await(*dropped));
  CHECK_FALSE(ran);
}

TEST_CASE("Abandon waits for nobody, and the task under way ends alone") {
  Busy busy;
  bool dropped = false;
  bool ran = false;
  busy.queue->Post([&ran, token = std::make_unique<Token>([&] { dropped = true; })] { ran = true; });
  busy.queue->Abandon();
  CHECK_FALSE(busy.ended->IsSet());
  CHECK(dropped);
  CHECK_FALSE(busy.queue->Post([&ran] { ran = true; }));
  busy.queue->Close();  // there is no thread left to wait for
  CHECK_FALSE(busy.ended->IsSet());
  busy.release->Set();
  CHECK(Await(*busy.ended));
  CHECK_FALSE(ran);
}

TEST_CASE("what a dropped task owns may post to the queue that drops it") {
  Busy busy;
  bool taken = true;
  bool told = false;
  TaskQueue* queue = busy.queue.get();
  queue->Post([token = std::make_unique<Token>([&, queue] {
                 taken = queue->Post([] {});
                 told = true;
               })] {});
  queue->Abandon();
  CHECK(told);
  CHECK_FALSE(taken);
}

TEST_CASE("a queue is closed when its owner lets go of it") {
  const std::unique_ptr<Executor> executor = NewThreadExecutor();
  bool ran = false;
  bool destroyed = false;
  {
    const std::unique_ptr<TaskQueue> queue = executor->NewQueue("short");
    queue->PostAfter(absl::Hours(1),
                     [&ran, token = std::make_unique<Token>([&] { destroyed = true; })] { ran = true; });
  }
  CHECK(destroyed);
  CHECK_FALSE(ran);
}

}  // namespace
}  // namespace twinkle::base

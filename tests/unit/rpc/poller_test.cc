#include "runtime/rpc/near/poller.h"

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "tests/support/catch.h"
#include "tests/support/soon.h"

namespace twinkle::rpc {
namespace {

// Input: numbers of events that are to be set; whoever polls sets them.
struct Input {
  std::shared_ptr<const Doorbell> bell = std::make_shared<const Doorbell>(*Doorbell::Make());
  std::atomic<int> pollers = 0;
  std::atomic<bool> twice = false;  // two threads polled at once
  base::Mutex mutex;
  std::vector<std::shared_ptr<base::Event>> arrived ABSL_GUARDED_BY(mutex);

  void Arrive(std::shared_ptr<base::Event> event) {
    {
      base::MutexLock lock(&mutex);
      arrived.push_back(std::move(event));
    }
    bell->Ring(0);
  }
  size_t Poll() {
    if (++pollers != 1) twice = true;
    std::vector<std::shared_ptr<base::Event>> taken;
    {
      base::MutexLock lock(&mutex);
      taken.swap(arrived);
    }
    for (const auto& event : taken) event->Set();
    --pollers;
    return taken.size();
  }
};

std::shared_ptr<Poller> NewPoller(Input& input, absl::Duration patience) {
  auto poller = Poller::Start(
      input.bell, [&input](bool) { return input.Poll(); }, Poller::Options{.patience = patience});
  base::SetWaitHelper(poller);
  return poller;
}

TEST_CASE("whatever is rung for is polled for, by one thread at a time, whoever waits (PO1, PO2)") {
  // Without patience everybody sleeps at once; with much of it nobody ever does.
  for (const absl::Duration patience : {absl::ZeroDuration(), absl::Microseconds(5), absl::Milliseconds(50)}) {
    Input input;
    const auto poller = NewPoller(input, patience);
    std::atomic<int> late = 0;
    std::vector<std::thread> threads;
    for (int waiter = 0; waiter < 3; ++waiter) {
      threads.emplace_back([&] {
        for (int i = 0; i < 2000; ++i) {
          const auto event = std::make_shared<base::Event>();
          input.Arrive(event);
          if (!event->WaitUntil(tests::Soon())) ++late;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(late == 0);
    CHECK_FALSE(input.twice);
    poller->Close();
  }
}

TEST_CASE("input is polled for although nobody waits: the service thread does it") {
  Input input;
  const auto poller = NewPoller(input, absl::ZeroDuration());
  std::vector<std::shared_ptr<base::Event>> events;
  for (int i = 0; i < 100; ++i) {
    events.push_back(std::make_shared<base::Event>());
    input.Arrive(events.back());
  }
  for (const auto& event : events) {
    const base::Instant deadline = tests::Soon();
    while (!event->IsSet() && base::Now() < deadline) std::this_thread::yield();
    CHECK(event->IsSet());
  }
  poller->Close();
}

TEST_CASE("who sleeps while it helps is woken by what it waits for, though no input came") {
  Input input;
  const auto poller = NewPoller(input, absl::ZeroDuration());
  for (int i = 0; i < 500; ++i) {
    const auto event = std::make_shared<base::Event>();
    std::thread other([event] { event->Set(); });
    CHECK(event->WaitUntil(tests::Soon()));
    other.join();
  }
  poller->Close();
}

TEST_CASE("who sleeps is woken by what it waits for, though another thread begins to poll at that moment") {
  Input input;
  const auto poller = NewPoller(input, absl::ZeroDuration());
  std::atomic<bool> end = false;
  std::thread polling([&] {
    while (!end) poller->Help([] { return false; }, base::kLongAgo);  // polls once
  });
  for (int i = 0; i < 5000; ++i) {
    const auto event = std::make_shared<base::Event>();
    std::atomic<bool> waiting = false;
    std::thread other([event, &waiting] {
      while (!waiting) std::this_thread::yield();
      event->Set();
    });
    waiting = true;
    CHECK(event->WaitUntil(tests::Soon()));
    other.join();
  }
  end = true;
  polling.join();
  poller->Close();
}

TEST_CASE("who sleeps looks again by itself, though a neighbour swallowed what was to wake it (PO3)") {
  Input input;
  const auto poller = NewPoller(input, absl::ZeroDuration());
  std::atomic<int> asked = 0;
  std::atomic<bool> there = false;
  std::thread waiting([&] {
    CHECK(poller->Help(
        [&] {
          ++asked;
          return there.load();
        },
        base::kForever));
  });
  while (asked < 2) std::this_thread::yield();  // the second time it is about to sleep
  there = true;                                 // and nobody wakes it
  waiting.join();
  poller->Close();
}

TEST_CASE("help ends at its deadline, and when the poller closes") {
  Input input;
  const auto poller = NewPoller(input, absl::ZeroDuration());
  const base::Event never;
  CHECK_FALSE(never.WaitUntil(base::Now() + absl::Milliseconds(20)));
  CHECK_FALSE(never.WaitUntil(base::kLongAgo));
  std::thread waiting([&] { CHECK_FALSE(poller->Help([] { return false; }, base::kForever)); });
  poller->Close();
  waiting.join();
  CHECK_FALSE(poller->Help([] { return false; }, base::kForever));
  CHECK(poller->Help([] { return true; }, base::kForever));
}

}  // namespace
}  // namespace twinkle::rpc

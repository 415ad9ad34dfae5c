// Options that can be set in three places, and how many of an object's calls run at once.
#include <twinkle/twinkle.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "tests/integration/session.h"

namespace options {

using twinkle::Collect, twinkle::LazyCollect, twinkle::Sync;

// Who arrives waits until all are there, for a while: true when they met.
class Meeting {
 public:
  explicit Meeting(int size) : missing_(size) {}
  bool Arrive() {
    std::unique_lock lock(mutex_);
    --missing_;
    changed_.notify_all();
    return changed_.wait_for(lock, std::chrono::seconds(5), [this] { return missing_ <= 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int missing_;
};

twinkle::tests::Gate begun, gate, construction;
std::atomic<int> collected = 0;
std::shared_ptr<Meeting> meeting;
std::atomic<int> running = 0, most = 0;
twinkle::tests::Log<int> order;

class Worker {
 public:
  int Unset() { return Run(); }
  int On() { return Run(); }
  int Off() { return Run(); }
  void OnVoid() { Run(); }
  int Fail() { throw std::runtime_error("failed in time"); }

 private:
  static int Run() {
    begun.Open();
    gate.Wait();
    return 1;
  }
};
TWINKLE_REMOTE_CLASS(Worker, (), (Unset), (On, Sync{true}), (Off, Sync{false}), (OnVoid, Sync{true}),
                     (Fail, Sync{true}))

// Makes more calls than may be pending, and keeps none of them waiting for ever.
class Flooder {
 public:
  absl::Status Flood(const twinkle::Remote<Worker>& worker, int calls) {
    std::vector<twinkle::Lazy<std::vector<int>>> lazies;
    for (int i = 0; i < calls; ++i) lazies.push_back(worker.Unset());
    const bool refused = lazies.back().Ready();
    gate.Open();
    for (const auto& lazy : lazies) lazy.Wait(absl::InfiniteDuration()).IgnoreError();
    return refused ? lazies.back().Get().status() : absl::OkStatus();
  }
};
TWINKLE_REMOTE_CLASS(Flooder, (), (Flood))

int Count(const std::vector<int>& all_results, const twinkle::DeviceMesh*) {
  ++collected;
  return static_cast<int>(all_results.size());
}
class Collector {
 public:
  int Unset() { return 1; }
  int On() { return 1; }
  int Off() { return 1; }
  void OffVoid() {}
};
TWINKLE_REMOTE_CLASS(Collector, (), (Unset, twinkle::CollectBy<&Count>),
                     (On, twinkle::CollectBy<&Count>, LazyCollect{true}),
                     (Off, twinkle::CollectBy<&Count>, LazyCollect{false}), (OffVoid, LazyCollect{false}))

class Concurrent {
 public:
  Concurrent() { construction.Wait(); }
  bool Meet() { return meeting->Arrive(); }
  void Wait(int which) {
    order.Add(which);
    const int now = ++running;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    gate.Wait();
    --running;
  }
};
TWINKLE_REMOTE_CLASS(Concurrent, (twinkle::MaxConcurrency{3}), (Meet), (Wait))
class Alone : public Concurrent {};
TWINKLE_REMOTE_CLASS(Alone, (), (Meet), (Wait))

}  // namespace options

namespace {

using namespace twinkle::tests;
using namespace options;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::Remote;

twinkle::Session BeginWith(std::optional<bool> sync, std::optional<bool> lazy_collect) {
  twinkle::InitializeOptions options = {.mode = Mode::kInProcess, .groups = {Cpu("g", 2)}};
  if (sync) options.sync = *sync;
  if (lazy_collect) options.lazy_collect = *lazy_collect;
  return Begin(std::move(options));
}

template <class Method>
void CheckSync(const Method& method, bool sync) {
  CAPTURE(sync);
  begun.Close();
  const ClosedHere closed(gate);
  std::thread opener;
  if (sync) {
    opener = std::thread([] {
      begun.Wait();
      gate.Open();
    });
  }
  const auto lazy = method();
  CHECK(lazy.Ready() == sync);
  gate.Open();
  if (sync) opener.join();
  CHECK(Told(lazy.Wait(absl::InfiniteDuration())) == "OK");
}

TEST_CASE("sync: the method's setting wins over the component's, that over the session's") {
  const auto session_sync = GENERATE(as<std::optional<bool>>(), std::nullopt, true, false);
  const auto component_sync = GENERATE(as<std::optional<bool>>(), std::nullopt, true, false);
  auto session = BeginWith(session_sync, std::nullopt);
  auto worker = Must(twinkle::New<Worker>({.remote_group = "g", .sync = component_sync}));
  Must(worker.component().WaitReady(absl::Seconds(60)));
  CheckSync(worker.Unset, component_sync.value_or(session_sync.value_or(false)));
  CheckSync(worker.On, true);
  CheckSync(worker.OnVoid, true);
  CheckSync(worker.Off, false);
}

TEST_CASE("with too many calls pending one more waits in the program, and fails inside a method (PC1)") {
  auto session = Begin({.mode = Mode::kInProcess, .groups = {Cpu("g", 2), Cpu("flooder", 1)}, .max_pending_calls = 3});
  auto worker = Must(twinkle::New<Worker>({.remote_group = "g"}));
  auto flooder = Must(twinkle::New<Flooder>({.remote_group = "flooder"}));
  Must(worker.component().WaitReady(absl::Seconds(60)));
  for (int round = 0; round < 20; ++round) {
    begun.Close();
    const ClosedHere closed(gate);
    std::vector<twinkle::Lazy<std::vector<int>>> lazies;
    for (int i = 0; i < 3; ++i) lazies.push_back(worker.Unset());
    begun.Wait();
    std::thread opener([] { gate.Open(); });
    lazies.push_back(worker.Unset());
    CHECK(std::any_of(lazies.begin(), lazies.end() - 1, [](const auto& lazy) { return lazy.Ready(); }));
    opener.join();
    for (const auto& lazy : lazies) CHECK(Told(lazy.Get()) == "OK");
  }
  const ClosedHere closed(gate);
  const std::string told = Told(flooder.Flood(worker, 4).Wait(absl::InfiniteDuration()));
  CHECK_THAT(told, ContainsSubstring("RESOURCE_EXHAUSTED") && ContainsSubstring("Worker.Unset [options_test.cc:") &&
                       ContainsSubstring("3 calls that this process has made are pending (max_pending_calls)"));
  CHECK(Told(flooder.Flood(worker, 3).Wait(absl::InfiniteDuration())) == "OK");
}

TEST_CASE("lazy_collect: the method's setting wins over the component's, that over the session's") {
  const auto session_lazy = GENERATE(as<std::optional<bool>>(), std::nullopt, true, false);
  const auto component_lazy = GENERATE(as<std::optional<bool>>(), std::nullopt, true, false);
  auto session = BeginWith(std::nullopt, session_lazy);
  auto collector = Must(twinkle::New<Collector>({.remote_group = "g", .lazy_collect = component_lazy}));
  const auto check = [](const auto& method, bool lazily) {
    collected = 0;
    const auto lazy = method();
    if (!lazily) CHECK(lazy.Ready());
    CHECK(Told(lazy.Wait(absl::InfiniteDuration())) == "OK");
    CHECK(collected == (lazily ? 0 : 1));  // nothing is fetched for nobody
    CHECK(Result(lazy) == 2);
    CHECK(Result(lazy) == 2);
    CHECK(collected == 1);
  };
  check(collector.Unset, component_lazy.value_or(session_lazy.value_or(true)));
  check(collector.On, true);
  check(collector.Off, false);
  CHECK(collector.OffVoid().Ready());
}

TEST_CASE("a handle that was found has the component's settings") {
  auto session = BeginWith(false, true);
  auto made = Must(twinkle::New<Collector>({.remote_group = "g", .name = "c", .sync = true, .lazy_collect = false}));
  auto found = Must(twinkle::Find<Collector>("c"));
  collected = 0;
  CHECK(found.Unset().Ready());
  CHECK(collected == 1);
}

TEST_CASE("waiting for a sync call does not look at its failure") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 2)});
  auto worker = Must(twinkle::New<Worker>({.remote_group = "g"}));
  const auto failed = worker.Fail();
  CHECK(failed.Ready());
  CHECK_THAT(Told(session.Finish()), ContainsSubstring("failed in time"));
}

TEST_CASE("MaxConcurrency lets that many of an object's calls run at once, begun in order") {
  auto session = Begin(Mode::kInProcess, {GENERATE(Cpu("g", 2), Devices("g", 2))});
  auto concurrent = Must(twinkle::New<Concurrent>({.remote_group = "g"}));
  Must(concurrent.component().WaitReady(absl::Seconds(60)));
  meeting = std::make_shared<Meeting>(3);
  const auto one = concurrent.Rank(0).Meet(), two = concurrent.Rank(0).Meet(), three = concurrent.Rank(0).Meet();
  REQUIRE(Result(one));
  CHECK(Result(two));
  CHECK(Result(three));

  const ClosedHere closed(gate);
  most = running = 0;
  order.Take();
  std::vector<twinkle::Lazy<void>> calls;
  for (int i = 0; i < 8; ++i) calls.push_back(concurrent.Rank(0).Wait(i));
  while (running < 3) std::this_thread::yield();
  // The first three, in whatever order their threads came to say so.
  std::vector<int> first = order.Take();
  std::sort(first.begin(), first.end());
  CHECK(first == std::vector{0, 1, 2});
  gate.Open();
  Must(twinkle::WaitAll(calls));
  CHECK(most == 3);
}

TEST_CASE("with MaxConcurrency too, calls begin once the object is constructed") {
  auto session = Begin(Mode::kInProcess, {GENERATE(Cpu("g", 2), Devices("g", 2))});
  const ClosedHere closed(construction);
  auto concurrent = Must(twinkle::New<Concurrent>({.remote_group = "g"}));
  meeting = std::make_shared<Meeting>(1);
  const auto one = concurrent.Rank(0).Meet(), two = concurrent.Rank(0).Meet();
  CHECK(two.Wait(absl::Milliseconds(20)).code() == absl::StatusCode::kDeadlineExceeded);
  construction.Open();
  CHECK(Told(one.Wait(absl::Seconds(60))) == "OK");
  CHECK(Told(two.Wait(absl::Seconds(60))) == "OK");
}

TEST_CASE("without MaxConcurrency an object's calls run one at a time, in order") {
  auto session = Begin(Mode::kInProcess, {GENERATE(Cpu("g", 1), Devices("g", 1))});
  auto alone = Must(twinkle::New<Alone>({.remote_group = "g"}));
  most = running = 0;
  order.Take();
  std::vector<twinkle::Lazy<void>> calls;
  std::vector<int> expected;
  for (int i = 0; i < 100; ++i) {
    calls.push_back(alone.Wait(i));
    expected.push_back(i);
  }
  Must(twinkle::WaitAll(calls));
  CHECK(most == 1);
  CHECK(order.Take() == expected);
}

TEST_CASE("objects of a CPU group have lanes of their own, those of a device group share one") {
  const bool cpu = GENERATE(true, false);
  auto session = Begin(Mode::kInProcess, {cpu ? Cpu("g", 1) : Devices("g", 1)});
  auto a = Must(twinkle::New<Alone>({.remote_group = "g"}));
  auto b = Must(twinkle::New<Alone>({.remote_group = "g"}));
  const ClosedHere closed(gate);
  const auto waits = a.Wait(0);
  meeting = std::make_shared<Meeting>(1);
  const auto other = b.Meet();
  if (cpu) {
    CHECK(Result(other).front());
    CHECK_FALSE(waits.Ready());
  } else {
    CHECK_FALSE(other.Ready());
  }
  gate.Open();
  Must(waits.Get());
  CHECK(Result(other).front());
}

TEST_CASE("locally an object's calls run one at a time") {
  auto session = Begin(Mode::kLocal, {Cpu("g", 1)});
  auto alone = Must(twinkle::New<Alone>({.remote_group = "g"}));
  most = running = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int call = 0; call < 100; ++call) alone.Wait(call);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(most == 1);
}

TEST_CASE("options that make no sense are InvalidArgument") {
  const auto refuse = [](twinkle::InitializeOptions options, const char* named) {
    options.mode = Mode::kInProcess;
    char* argv[] = {nullptr};
    const auto session = twinkle::Initialize(0, argv, std::move(options));
    CHECK(session.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(Told(session), ContainsSubstring(named));
  };
  refuse({.groups = {Cpu("", 1)}}, "name");
  refuse({.groups = {Cpu("twice", 1), Cpu("twice", 1)}}, "twice");
  refuse({.groups = {Cpu("none", 0)}}, "none");
  refuse({.groups = {{.name = "odd", .ranks = 3, .devices_per_worker = 2}}}, "devices_per_worker");
  refuse({.groups = {{.name = "same", .ranks = {1, 1}}}}, "same");
  refuse({.groups = {{.name = "sharer", .shares_devices_with = "nobody"}}}, "nobody");
  refuse({.groups = {{.name = "a", .ranks = {0, 1}}, {.name = "b", .ranks = {1}}}}, "device 1");
  refuse({.nproc_per_node = 0}, "nproc_per_node");
  refuse({.abort_grace = absl::Seconds(-1)}, "abort_grace");
  auto session = Begin(Mode::kInProcess, {});
  char* argv[] = {nullptr};
  CHECK(twinkle::Initialize(0, argv, {.mode = Mode::kLocal}).status().code() == absl::StatusCode::kFailedPrecondition);
}

}  // namespace

// From New to Release and the session's end, and what is left to use after that.
#include <twinkle/twinkle.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/session.h"

namespace living {

using twinkle::Collect, twinkle::Dispatch, twinkle::Execute, twinkle::Lazy;
using List = std::vector<int64_t>;

twinkle::tests::Log<std::string> happened;
twinkle::tests::Gate gate, begun;
std::atomic<int> alive = 0;

class Thing {
 public:
  explicit Thing(std::string name) : name_(std::move(name)), thread_(std::this_thread::get_id()) { ++alive; }
  Thing(const Thing&) = delete;
  Thing& operator=(const Thing&) = delete;
  ~Thing() {
    --alive;
    happened.Add("end of " + name_);
    if (std::this_thread::get_id() != thread_) happened.Add(name_ + " ends in another thread");
    if (twinkle::Context().rank() != rank_) happened.Add(name_ + " ends without its context");
  }
  int64_t Do(const std::string& what) {
    happened.Add(what);
    return 1;
  }
  void Wait(const std::string& what) {
    begun.Open();
    gate.Wait();
    happened.Add(what);
  }
  List Big(int64_t count) { return List(static_cast<size_t>(count), 7); }

 private:
  const std::string name_;
  const std::thread::id thread_;
  const int rank_ = twinkle::Context().rank();
};
TWINKLE_REMOTE_CLASS(Thing, (), (Do, Collect::kFirst), (Wait), (Big, Collect::kFirst))

class Concurrent {
 public:
  Concurrent() { ++alive; }
  ~Concurrent() {
    --alive;
    happened.Add("end");
  }
  void Wait() {
    begun.Open();
    gate.Wait();
    happened.Add("call");
  }
};
TWINKLE_REMOTE_CLASS(Concurrent, (twinkle::MaxConcurrency{2}), (Wait))

}  // namespace living

namespace {

using namespace twinkle::tests;
using namespace living;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::New, twinkle::Remote;
using Events = std::vector<std::string>;

void Reset() {
  happened.Take();
  gate.Open();
  begun.Close();
}

TEST_CASE("Release destroys the objects, on their threads, after the calls made so far") {
  auto session = Begin(Mode::kInProcess, {GENERATE(Cpu("g", 1), Devices("g", 1))});
  Reset();
  const ClosedHere closed(gate);
  auto thing = Must(New<Thing>({.remote_group = "g"}, "thing"));
  Must(thing.component().WaitReady(absl::Seconds(60)));
  const auto before = thing.Wait("call before");
  const auto queued = thing.Do("queued call");
  CHECK(Told(thing.component().Release()) == "OK");
  const auto after = thing.Do("call after");
  CHECK(alive == 1);
  gate.Open();
  CHECK(Told(before.Get()) == "OK");
  CHECK(Result(queued) == 1);
  CHECK(after.Get().status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(Told(after.Get()), ContainsSubstring("Thing.Do failed") && ContainsSubstring("lifetime_test.cc:") &&
                                    ContainsSubstring("released"));
  CHECK(happened.Take() == Events{"call before", "queued call", "end of thing"});
  CHECK(alive == 0);
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("locally Release destroys the object at once") {
  auto session = Begin(Mode::kLocal, {Cpu("g", 2)});
  Reset();
  auto thing = Must(New<Thing>({.remote_group = "g"}, "thing"));
  const auto made = thing.Do("call");
  CHECK(Told(thing.component().Release()) == "OK");
  CHECK(happened.Take() == Events{"call", "end of thing"});
  CHECK(Result(made) == 1);
  CHECK(thing.Do("again").Get().status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(happened.Take().empty());
}

TEST_CASE("Release of what is released is OK, and nobody is told of a failure") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Log<std::string> told;
  auto session =
      Begin({.mode = mode, .groups = {Cpu("g", 2)}, .notifier = [&](const std::string& what) { told.Add(what); }});
  auto thing = Must(New<Thing>({.remote_group = "g"}, "thing"));
  Must(thing.component().Release());
  Must(thing.component().Release());
  CHECK(Told(session.Finish()) == "OK");
  CHECK(told.Take().empty());
}

TEST_CASE("with MaxConcurrency Release waits for all calls under way") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 1)});
  Reset();
  const ClosedHere closed(gate);
  auto concurrent = Must(New<Concurrent>({.remote_group = "g"}));
  Must(concurrent.component().WaitReady(absl::Seconds(60)));
  const auto call = concurrent.Wait();
  begun.Wait();
  Must(concurrent.component().Release());
  // Enough calls to have gone through every queue.
  auto other = Must(New<Thing>({.remote_group = "g"}, "other"));
  for (int i = 0; i < 20; ++i) Must(other.Do("").Get().status());
  CHECK(alive == 2);
  gate.Open();
  Must(call.Get());
  Must(session.Finish());
  const Events events = happened.Take();
  const auto called = std::find(events.begin(), events.end(), "call");
  CHECK(std::find(called, events.end(), "end") != events.end());
}

TEST_CASE("a component lives on without handles, until the session ends") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Reset();
  auto session = Begin(mode, {Cpu("g", 2)});
  Must(Must(New<Thing>({.remote_group = "g", .name = "thing"}, "thing")).component().WaitReady(absl::Seconds(60)));
  CHECK(alive == (mode == Mode::kLocal ? 1 : 2));
  CHECK(Result(Must(twinkle::Find<Thing>("thing")).Do("call")) == 1);
  happened.Take();
  CHECK(Told(session.Finish()) == "OK");
  CHECK(alive == 0);
  CHECK(happened.Take() == Events(mode == Mode::kLocal ? 1 : 2, "end of thing"));
}

TEST_CASE("the end waits for the calls made, and says for which") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 1)});
  Reset();
  const ClosedHere closed(gate);
  auto thing = Must(New<Thing>({.remote_group = "g"}, "thing"));
  const auto waits = thing.Wait("first");
  const auto queued = thing.Do("second");
  std::thread opener([] {
    begun.Wait();
    gate.Open();
  });
  CHECK(Told(session.Finish()) == "OK");
  opener.join();
  CHECK(waits.Ready());
  CHECK(Result(queued) == 1);  // settled, and kept
  CHECK(happened.Take() == Events{"first", "second", "end of thing"});
  CHECK(session.Finish().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("finish_timeout limits how long the end waits; what is under way is then Cancelled") {
  Reset();
  auto session = Begin({.mode = Mode::kInProcess,
                        .groups = {Cpu("g", 1)},
                        .finish_timeout = absl::Milliseconds(20),
                        .abort_grace = absl::Milliseconds(20)});
  const ClosedHere closed(gate);
  auto thing = Must(New<Thing>({.remote_group = "g"}, "thing"));
  const auto waits = thing.Wait("stuck");
  const auto queued = thing.Do("never");
  begun.Wait();
  CapturedStderr captured;
  const absl::Status ended = session.Finish();
  CHECK_THAT(captured.Text(), ContainsSubstring("Thing.Wait [lifetime_test.cc:"));
  CHECK(ended.code() == absl::StatusCode::kCancelled);  // nobody has looked at the calls' failures
  CHECK(waits.Get().code() == absl::StatusCode::kCancelled);
  CHECK(queued.Get().status().code() == absl::StatusCode::kCancelled);
  CHECK_THAT(Told(queued.Get()), ContainsSubstring("Thing.Do [lifetime_test.cc:"));
  auto next = Begin(Mode::kInProcess, {Cpu("g", 1)});
  CHECK(Result(Must(New<Thing>({.remote_group = "g"}, "next")).Big(2)) == List{7, 7});
  gate.Open();
  while (alive > 1) std::this_thread::yield();  // the abandoned thread comes to its end
}

TEST_CASE("what is used after the session's end fails with a status") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Reset();
  auto session = Begin(mode, {Cpu("g", 2), Cpu("h", 1)});
  auto thing = Must(New<Thing>({.remote_group = "g", .name = "thing"}, "thing"));
  auto other = Must(New<Thing>({.remote_group = "h"}, "other"));
  const auto fetched = thing.Big(100000);
  Must(fetched.Get().status());
  const auto unfetched = thing.Big(100000), small = thing.Big(2);
  const auto put = twinkle::Put(List{1, 2});
  CHECK(Told(session.Finish()) == "OK");
  const bool again = GENERATE(false, true);
  std::optional<twinkle::Session> next;
  if (again) next = Begin(mode, {Cpu("g", 2), Cpu("h", 1)});

  CHECK(Result(fetched).size() == 100000);  // it is here
  CHECK((unfetched.Get().ok() || unfetched.Get().status().code() == absl::StatusCode::kCancelled));
  CHECK((small.Get().ok() || small.Get().status().code() == absl::StatusCode::kCancelled));
  CHECK((Told(put.Rows(0, 1).Get()).size() > 0));
  const auto call = thing.Do("too late");
  CHECK(call.Get().status().code() == absl::StatusCode::kCancelled);
  CHECK_THAT(Told(call.Get()), ContainsSubstring("Thing.Do") && ContainsSubstring("session has ended"));
  CHECK(thing.Rank(0).Do("too late").Get().status().code() == absl::StatusCode::kCancelled);
  CHECK_FALSE(unfetched.Rows(0, 1).Rows(0, 1).Get().status().code() == absl::StatusCode::kInternal);
  thing.component().Release().IgnoreError();
  thing.component().Kill();
  thing.component().WaitReady(absl::Seconds(1)).IgnoreError();
  unfetched.Cancel();
  CHECK(thing.component().name() == "thing");
  if (!again) return;
  // Old handles and lazies do not mix with the new session.
  auto fresh = Must(New<Thing>({.remote_group = "g"}, "fresh"));
  CHECK(Result(fresh.Do("new")) == 1);
  CHECK(Told(next->Finish()) == "OK");
}

TEST_CASE("handles, lazies and results may outlive everything") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  Remote<Thing> thing;
  Lazy<List> made;
  Lazy<int64_t> called;
  {
    auto session = Begin(mode, {Cpu("g", 2)});
    thing = Must(New<Thing>({.remote_group = "g"}, "thing"));
    made = thing.Big(100000);
    called = thing.Do("call");
  }
  CHECK(alive == 0);
  CHECK(called.Ready());
  thing = Remote<Thing>();
  made = Lazy<List>();
  CHECK(Result(called) == 1);
}

TEST_CASE("many sessions come and go") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  for (int round = 0; round < 30; ++round) {
    auto session = Begin(mode, {Cpu("g", 2), Devices("h", 2)});
    auto g = Must(New<Thing>({.remote_group = "g"}, "g"));
    auto h = Must(New<Thing>({.remote_group = "h"}, "h"));
    g.Do("g");
    h.Do("h");
    if (round % 2 == 0) CHECK(Told(session.Finish()) == "OK");
  }
  CHECK(alive == 0);
}

TEST_CASE("a moved session is the same session") {
  auto session = Begin(Mode::kLocal, {Cpu("g", 1)});
  twinkle::Session moved = std::move(session);
  CHECK(Told(moved.Finish()) == "OK");
  CHECK(moved.Finish().code() == absl::StatusCode::kFailedPrecondition);
  auto next = Begin(Mode::kLocal, {Cpu("g", 1)});
  next = std::move(moved);  // which has ended: so does the one that is replaced
  CHECK(Begin(Mode::kLocal, {Cpu("g", 1)}).Finish().ok());
}

}  // namespace

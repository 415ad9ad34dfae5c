// One session after the other: what is left of the first is nothing to the second.
#include <twinkle/twinkle.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/session.h"

namespace twinkle::tests {
namespace {

using Catch::Matchers::ContainsSubstring;
using List = std::vector<int64_t>;

constexpr int64_t kLarge = 20'000;  // too large to travel with the reply
constexpr char kEnded[] = "it belongs to a session that has ended";

class Source {
 public:
  List Make(int64_t rows, int64_t value) { return List(static_cast<size_t>(rows), value); }
  List Echo(const List& list) { return {list.empty() ? -1 : list[0], static_cast<int64_t>(list.size())}; }
};
TWINKLE_REMOTE_CLASS(Source, (), (Make, Collect::kFlatten), (Echo, Dispatch::kAll, Collect::kFirst))

class Holder {
 public:
  explicit Holder(const List& list) : size_(static_cast<int64_t>(list.size())) {}
  int64_t Size() { return size_; }
  int64_t Ask(const Remote<Source>& source) { return source.Make(1, 1).Get().ok() ? 1 : 0; }

 private:
  int64_t size_ = 0;
};
TWINKLE_REMOTE_CLASS(Holder, (), (Size, Collect::kFirst), (Ask, Collect::kFirst))

class Patient {
 public:
  void Stay() { AwaitCancelled(); }
  // Calls so often, some time after the session's end has begun.
  int64_t Ask(const Remote<Source>& source, int64_t times) {
    int64_t answers = 0;
    for (int64_t i = 0; i < times; ++i) answers += source.Make(1, 1).Get().ok() ? 1 : 0;
    return answers;
  }
};
TWINKLE_REMOTE_CLASS(Patient, (), (Stay), (Ask, Collect::kFirst))

// A session, and in it as many objects as in any other made so: their short ids are the same.
struct Made {
  explicit Made(Mode mode)
      : session(Begin(mode, {Cpu("g", 2)})),
        source(Must(New<Source>({.remote_group = "g"}))),
        large(source.Make(kLarge, 100)),
        small(source.Make(2, 100)),
        put(Put(List(kLarge, 555))),
        small_put(Put(List(3, 555))) {
    for (const auto& lazy : {large, small, put, small_put}) Must(lazy.Wait(absl::Seconds(60)));
  }
  Session session;
  Remote<Source> source;
  Lazy<List> large, small, put, small_put;
};

void CheckRefused(const absl::Status& status) {
  CHECK(absl::IsFailedPrecondition(status));
  CHECK_THAT(Told(status), ContainsSubstring(kEnded) && ContainsSubstring("sessions_test.cc:"));
}

TEST_CASE("what is left of an ended session is refused by the calls of the next, and nothing is mistaken") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess, Mode::kCluster);
  CAPTURE(NameOf(mode));
  Made old(mode);
  const Lazy<List> plan = old.large.Rows(1, 3);
  Must(old.session.Finish());

  Made made(mode);
  for (const auto& stale : {old.large, old.small, old.put, old.small_put, plan, old.large.Rows(0, 1)}) {
    CheckRefused(made.source.Echo(stale).Get().status());
    CheckRefused(made.source.Rank(0).Echo(stale).Get().status());
  }
  CheckRefused(New<Holder>({.remote_group = "g"}, old.large).status());
  auto holder = Must(New<Holder>({.remote_group = "g"}, made.large));
  CheckRefused(holder.Ask(old.source).Get().status());
  CHECK(Result(holder.Ask(made.source)) == 1);
  CHECK(Result(made.source.Echo(made.put)) == List{555, kLarge});
  CHECK(Told(made.session.Finish()) == "OK");
}

TEST_CASE("lazies of two sessions are not put together") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess, Mode::kCluster);
  CAPTURE(NameOf(mode));
  Made old(mode);
  Must(old.session.Finish());
  Made made(mode);
  for (const auto& both : {Concat(old.large, made.large), Concat(made.large, old.put), Concat(made.put, old.small)}) {
    const absl::Status status = both.Get().status();
    CHECK(absl::IsFailedPrecondition(status));
    CHECK_THAT(Told(status), ContainsSubstring(kEnded));
  }
  CHECK(Told(made.session.Finish()) == "OK");
}

TEST_CASE("a value that was fetched outlives its session; a handle of it does not") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess, Mode::kCluster);
  CAPTURE(NameOf(mode));
  Made old(mode);
  Must(old.large.Get().status());
  Must(old.session.Finish());
  Made made(mode);
  CHECK(Result(old.large).at(0) == 100);
  CHECK(Result(made.source.Echo(Result(old.large))) == List{100, mode == Mode::kLocal ? kLarge : 2 * kLarge});
  CHECK(absl::IsCancelled(old.source.Make(1, 1).Get().status()));
  CHECK(Told(made.session.Finish()) == "OK");
}

TEST_CASE("a value that was put and never read is no failure") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess, Mode::kCluster);
  CAPTURE(NameOf(mode));
  for (int i = 0; i < (mode == Mode::kCluster ? 1 : 20); ++i) {
    auto session = Begin(mode, {});
    const auto put = Put(List(kLarge, 1));
    CHECK(Told(session.Finish()) == "OK");
  }
}

TEST_CASE("a call that the program has cancelled is no failure that nobody looked at") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2)});
  auto patient = Must(New<Patient>({.remote_group = "g"}));
  Must(patient.component().WaitReady(absl::Seconds(60)));
  const auto call = patient.Stay();
  call.Cancel();
  CHECK(Told(session.Finish()) == "OK");
}

// Calls for as long as that is answered; then what was said.
std::string CallOn(const Remote<Source>& source) {
  while (true) {
    const absl::Status made = source.Make(1, 1).Get().status();
    if (!made.ok()) return Told(made);
  }
}

TEST_CASE("Finish ends whatever threads go on calling; what methods call for what was made before is answered") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess, Mode::kCluster);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 2), Cpu("h", 1)});
  auto source = Must(New<Source>({.remote_group = "g"}));
  auto patient = Must(New<Patient>({.remote_group = "h"}));
  Log<std::string> told;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { told.Add(CallOn(source)); });
  constexpr int64_t kTimes = 300;
  const Lazy<int64_t> asked = patient.Ask(source, kTimes);
  CHECK(Told(session.Finish()) == "OK");
  for (std::thread& thread : threads) thread.join();
  CHECK(Result(asked) == kTimes);
  for (const std::string& text : told.Take()) {
    CHECK_THAT(text, ContainsSubstring("CANCELLED: Source.Make") && ContainsSubstring("the session has ended"));
  }
  CHECK(absl::IsCancelled(source.Make(1, 1).Get().status()));
  CHECK_FALSE(New<Source>({.remote_group = "g"}).ok());
}

}  // namespace
}  // namespace twinkle::tests

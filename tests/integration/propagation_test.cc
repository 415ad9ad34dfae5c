// Cancellation, time limits and deaths, seen by methods that wait for calls which they have made.
#include <signal.h>
#include <twinkle/twinkle.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "tests/integration/session.h"

namespace propagation {

using twinkle::Lazy, twinkle::MaxConcurrency, twinkle::Remote, twinkle::Timeout;

// Two threads: it can be asked while a call is under way.
class Inner {
 public:
  // Until it is cancelled: a call that nobody ends hangs its test.
  void Stay() {
    begun_ = true;
    twinkle::tests::AwaitCancelled();
    ended_ = true;
  }
  bool Begun() { return begun_; }
  bool Ended() { return ended_; }

 private:
  std::atomic<bool> begun_ = false;
  std::atomic<bool> ended_ = false;
};
TWINKLE_REMOTE_CLASS(Inner, (MaxConcurrency{2}), (Stay), (Begun, twinkle::Collect::kFirst),
                     (Ended, twinkle::Collect::kFirst))

class Outer {
 public:
  void Ask(const Remote<Inner>& inner) { told_ = twinkle::tests::Told(inner.Stay().Get()); }
  // Stays until its own limit: what it asks has no more time than that, and may end a moment before.
  void AskInTime(const Remote<Inner>& inner) {
    Ask(inner);
    twinkle::tests::AwaitCancelled();
  }
  void AskThroughOther(const Remote<Outer>& other, const Remote<Inner>& inner);
  void AskAndDie(const Remote<Inner>& inner) {
    const Lazy<void> asked = inner.Stay();
    while (!twinkle::tests::Result(inner.Begun())) std::this_thread::yield();
    ::kill(::getpid(), SIGKILL);
    twinkle::tests::Told(asked.Get());
  }
  std::string Told() { return told_; }

 private:
  std::string told_;
};
TWINKLE_REMOTE_CLASS(Outer, (), (Ask), (AskInTime, Timeout(std::chrono::seconds(1))), (AskThroughOther), (AskAndDie),
                     (Told, twinkle::Collect::kFirst))

void Outer::AskThroughOther(const Remote<Outer>& other, const Remote<Inner>& inner) {
  told_ = twinkle::tests::Told(other.Ask(inner).Get());
}

}  // namespace propagation

namespace twinkle::tests {
namespace {

using Catch::Matchers::ContainsSubstring;
using propagation::Inner;
using propagation::Outer;

Session BeginThree() {
  return Begin({.mode = Mode::kInProcess,
                .groups = {Cpu("inner", 1), Cpu("outer", 1), Cpu("middle", 1)},
                .abort_grace = absl::Seconds(20)});
}
void AwaitBegun(const Remote<Inner>& inner) {
  while (!Result(inner.Begun())) std::this_thread::yield();
}
void AwaitEnded(const Remote<Inner>& inner) {
  while (!Result(inner.Ended())) std::this_thread::yield();
}

TEST_CASE("Cancel ends a call, the call that its method waits for, and that one's; all groups go on") {
  auto session = BeginThree();
  auto inner = Must(New<Inner>({.remote_group = "inner"}));
  auto middle = Must(New<Outer>({.remote_group = "middle"}));
  auto outer = Must(New<Outer>({.remote_group = "outer"}));
  const Lazy<void> call = outer.AskThroughOther(middle, inner);
  AwaitBegun(inner);
  call.Cancel();
  CHECK_THAT(Told(call.Get()), ContainsSubstring("CANCELLED: Outer.AskThroughOther"));
  CHECK_THAT(Result(middle.Told()),
             ContainsSubstring("CANCELLED: Inner.Stay") && ContainsSubstring("Outer.AskThroughOther"));
  CHECK_THAT(Result(outer.Told()), ContainsSubstring("CANCELLED: Outer.Ask "));
  AwaitEnded(inner);
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("a time limit ends a call, and what its method waits for; both groups go on") {
  auto session = BeginThree();
  auto inner = Must(New<Inner>({.remote_group = "inner"}));
  auto outer = Must(New<Outer>({.remote_group = "outer"}));
  const Lazy<void> call = outer.AskInTime(inner);
  CHECK_THAT(Told(call.Get()), ContainsSubstring("DEADLINE_EXCEEDED") && ContainsSubstring("time limit of 1s"));
  CHECK_THAT(Result(outer.Told()), ContainsSubstring("DEADLINE_EXCEEDED: Inner.Stay"));
  AwaitEnded(inner);
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("the death of a process ends what its methods have called elsewhere") {
  if (!OnCluster()) return;  // nothing can be killed
  auto session = BeginThree();
  auto inner = Must(New<Inner>({.remote_group = "inner"}));
  auto outer = Must(New<Outer>({.remote_group = "outer"}));
  CHECK(outer.AskAndDie(inner).Get().code() == absl::StatusCode::kAborted);
  AwaitEnded(inner);
}

}  // namespace
}  // namespace twinkle::tests

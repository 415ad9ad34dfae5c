// Calls made in methods: what ends a call ends what was called because of it.
#include <absl/strings/match.h>
#include <absl/time/time.h>

#include <chrono>
#include <string>
#include <utility>

#include "runtime/actor/context.h"
#include "runtime/actor/running_call.h"
#include "tests/support/catch.h"
#include "tests/unit/actor/steps.h"

namespace twinkle::actor::steps {
namespace {

using tests::CpuGroup;
using tests::LaneOf;
using tests::ServiceOf;
using tests::StatusOf;

// What Outer's methods came to.
struct Seen {
  absl::Status waited = absl::UnknownError("nothing was waited for");
  absl::Status late = absl::UnknownError("nothing was called after that");
  CallId call;
  uint64_t trace = 0;
};
Seen& Saw() {
  static Seen seen;
  return seen;
}
// A wait that nothing wakes fails its test, and does not hang it.
constexpr absl::Duration kLong = absl::Seconds(20);

class Outer {
 public:
  void Keep(const Remote<Recorder>& inner) { inner_ = inner; }
  void Run() {
    Saw().call = CurrentContext()->call->id;
    Saw().trace = CurrentContext()->call->trace;
    const Lazy<void> asked = inner_.Hook("asked");
    if (Inside()) std::exchange(Inside(), nullptr)();
    Saw().waited = asked.Wait(kLong);
    if (Context().Cancelled()) Saw().late = inner_.Add("too late").Wait(kLong);
  }
  void Timed() { Run(); }
  void Leave() { left_ = inner_.Numbers(3); }
  void AwaitLeft() {
    if (Inside()) std::exchange(Inside(), nullptr)();
    Saw().waited = left_.Get().status();
    Saw().late = left_.Size().status();
  }
  int64_t CountLeft() { return left_.Size().value(); }

 private:
  Remote<Recorder> inner_;
  Lazy<std::vector<int64_t>> left_;
};
TWINKLE_REMOTE_CLASS(Outer, (), (Keep), (Run), (Timed, Timeout(std::chrono::seconds(2))), (Leave), (AwaitLeft),
                     (CountLeft, Collect::kFirst))

// Calls Outer from a rank of its own, which may be lost.
class Starter {
 public:
  void Start(const Remote<Outer>& outer) { started_ = outer.Run(); }

 private:
  Lazy<void> started_;
};
TWINKLE_REMOTE_CLASS(Starter, (), (Start))

struct Tree : Stage {
  Tree() : Stage({CpuGroup("starter", 1), CpuGroup("outer", 1), CpuGroup("inner", 1)}, absl::Seconds(5)) {
    outer.Keep(inner);
    Run();
    Saw() = {};
  }
  // The services have nothing left to do; lanes stand still.
  void RunServices() const {
    for (int round = 0; round < 4; ++round) {
      executor().Drain("program");
      for (const char* group : {"starter", "outer", "inner"}) executor().Drain(ServiceOf(group));
    }
  }
  const Remote<Recorder> inner = Make<Recorder>("inner");
  const Remote<Outer> outer = Make<Outer>("outer");
  const Remote<Starter> starter = Make<Starter>("starter");
};

TEST_CASE("a cancel wakes the method that waits for a call, and this call is not run (HO4, CA5)") {
  Tree job;
  const Lazy<void> call = job.outer.Run();
  Inside() = [&] {
    job.RunServices();  // the inner call waits on its lane
    call.Cancel();
    job.RunServices();
  };
  job.Run();
  CHECK(absl::IsCancelled(StatusOf(call)));
  CHECK(absl::IsCancelled(Saw().waited));
  CHECK(absl::StrContains(Saw().waited.message(), "Recorder.Hook"));
  CHECK(absl::StrContains(Saw().waited.message(), "the call that it was made for has ended: Outer.Run"));
  CHECK(absl::IsCancelled(Saw().late));  // what is called after that ends at once
  CHECK(job.On("inner").empty());
  CHECK(job.IsIdle());
  const Lazy<void> next = job.inner.Add("next");
  job.Run();
  CHECK(StatusOf(next).ok());
}

TEST_CASE("a cancel reaches the method that runs what was called, and neither group ends (HO4)") {
  Tree job;
  const Lazy<void> call = job.outer.Run();
  bool before = true;
  bool after = false;
  Inside() = [&] {
    Inside() = [&] {  // in the inner method
      before = Context().Cancelled();
      call.Cancel();
      job.RunServices();
      after = Context().Cancelled();
    };
    job.RunServices();
    job.Drain(LaneOf(job.inner));
  };
  job.Run();
  CHECK_FALSE(before);
  CHECK(after);
  CHECK(absl::IsCancelled(Saw().waited));
  job.executor().Advance(absl::Seconds(10));  // the grace passes
  const Lazy<void> of_inner = job.inner.Add("next");
  const Lazy<void> of_outer = job.outer.Leave();
  job.Run();
  CHECK(StatusOf(of_inner).ok());
  CHECK(StatusOf(of_outer).ok());
}

TEST_CASE("a time limit goes down: what a method calls waits no longer than its caller (CA5)") {
  Tree job;
  const Lazy<void> call = job.outer.Timed();
  Inside() = [&] {
    job.executor().Advance(absl::Seconds(1));
    job.RunServices();  // the inner call leaves, with what is left
    job.network().Hold(rpc::kProgram, job.Id("outer"), rpc::Stream::kControl);  // its caller's word does not come
    job.executor().Advance(absl::Seconds(1));
    job.RunServices();
  };
  job.Run();
  CHECK(absl::IsDeadlineExceeded(Saw().waited));
  CHECK(job.On("inner").empty());
  job.network().Release(rpc::kProgram, job.Id("outer"), rpc::Stream::kControl);
  job.Run();
  job.executor().Advance(absl::Seconds(1));  // for ranks that do not say whether they had begun
  job.Run();
  CHECK(absl::IsDeadlineExceeded(StatusOf(call)));
  CHECK(job.IsIdle());
}

TEST_CASE("the end of a caller's process wakes the method that it called, and ends what this called (HO4)") {
  Tree job;
  job.starter.Start(job.outer);
  Inside() = [&] {
    job.RunServices();
    job.Kill("starter");
    job.RunServices();
  };
  job.Run();
  CHECK(absl::IsAborted(Saw().waited));
  CHECK(absl::StrContains(Saw().waited.message(), "starter.0 was killed"));
  CHECK(job.On("inner").empty());
  job.executor().Advance(absl::Seconds(10));
  const Lazy<void> next = job.inner.Add("next");
  const Lazy<void> of_outer = job.outer.Leave();
  job.Run();
  CHECK(StatusOf(next).ok());
  CHECK(StatusOf(of_outer).ok());
}

TEST_CASE("a lazy of an earlier call is waited for no longer, and its own call goes on (HO4)") {
  Tree job;
  job.outer.Leave();
  const Lazy<void> call = job.outer.AwaitLeft();
  Inside() = [&] {
    call.Cancel();
    job.RunServices();
  };
  job.Run({LaneOf(job.inner)});
  CHECK(absl::IsCancelled(StatusOf(call)));
  CHECK(absl::IsCancelled(Saw().waited));
  CHECK(absl::IsCancelled(Saw().late));
  job.Run();
  const Lazy<int64_t> count = job.outer.CountLeft();
  job.Run();
  CHECK(*count.Get() == 3);
}

TEST_CASE("what a method called and did not wait for goes on after it (CA5)") {
  Tree job;
  const Lazy<void> call = job.outer.Leave();
  job.Run({LaneOf(job.inner)});
  CHECK(StatusOf(call).ok());
  call.Cancel();
  job.Run();
  const Lazy<int64_t> count = job.outer.CountLeft();
  job.Run();
  CHECK(*count.Get() == 3);
}

TEST_CASE("all calls of a tree have their root's trace, which no other has") {
  Tree job;
  std::vector<uint64_t> traces;
  for (int i = 0; i < 2; ++i) {
    const Lazy<void> call = job.outer.Run();
    Inside() = [&] {
      Inside() = [&] { traces.push_back(CurrentContext()->call->trace); };
      job.RunServices();
      job.Drain(LaneOf(job.inner));
      job.RunServices();
      Inside() = nullptr;
      call.Cancel();
      job.RunServices();
    };
    job.Run();
    REQUIRE(traces.size() == static_cast<size_t>(i) + 1);
    CHECK(traces.back() == Saw().trace);
    CHECK(Saw().trace == TraceOf(Saw().call));
  }
  CHECK(traces[0] != traces[1]);
}

// ---- had it begun?
TEST_CASE("a call that had not begun when its time limit passed says so, at once") {
  TwoCallers job;
  const Lazy<void> late = job.recorder.Slow("late");
  job.Run(job.lanes);
  job.executor().Advance(absl::Seconds(2));
  job.Run(job.lanes);
  CHECK(absl::IsDeadlineExceeded(StatusOf(late)));
  CHECK(absl::EndsWith(StatusOf(late).message(), "not done within its time limit of 2s; it had not begun"));
}

TEST_CASE("a call that had begun does not say that it had not, nor does one whose ranks do not answer") {
  const bool answers = GENERATE(true, false);
  CAPTURE(answers);
  Tree job;
  const Lazy<void> call = job.outer.Timed();
  Inside() = [&] {
    if (!answers) job.network().Hold(job.Id("outer"), rpc::kProgram, rpc::Stream::kControl);
    job.executor().Advance(absl::Seconds(2));
    job.RunServices();
    CHECK(call.Ready() == answers);
    job.executor().Advance(absl::Seconds(1));
    job.RunServices();
    CHECK(call.Ready());
  };
  job.Run();
  CHECK(absl::IsDeadlineExceeded(StatusOf(call)));
  CHECK(absl::EndsWith(StatusOf(call).message(), "not done within its time limit of 2s"));
}

}  // namespace
}  // namespace twinkle::actor::steps

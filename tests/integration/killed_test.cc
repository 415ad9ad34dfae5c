// What the caller has ended himself, with Cancel, Kill or Release: what he hears of it later, and that it is no
// failure.
#include <twinkle/twinkle.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/integration/session.h"

namespace killed {

using twinkle::Collect, twinkle::Dispatch, twinkle::Lazy, twinkle::Remote;
using List = std::vector<int64_t>;

class Worker {
 public:
  List Echo(const List& list) { return list; }
  List Wait() {
    twinkle::tests::AwaitCancelled();
    return {};
  }
};
TWINKLE_REMOTE_CLASS(Worker, (), (Echo, Dispatch::kAll, Collect::kFlatten), (Wait, Collect::kFlatten))

// Made of what a call gives.
class Holder {
 public:
  explicit Holder(const List& list) : size_(static_cast<int64_t>(list.size())) {}
  int64_t Size() { return size_; }

 private:
  int64_t size_;
};
TWINKLE_REMOTE_CLASS(Holder, (), (Size))

twinkle::tests::Gate inside, stay;  // of who is in a method, and does not leave it

// Ends groups: another's, and its own.
class Killer {
 public:
  void Kill(const Remote<Worker>& worker) { worker.component().Kill(); }
  // Rank 1 stays when its call has ended, which ends its group.
  void Stay() {
    if (twinkle::Context().rank() == 0) return twinkle::tests::AwaitCancelled();
    inside.Open();
    stay.Wait();
  }
  void Pass() {}
};
TWINKLE_REMOTE_CLASS(Killer, (), (Kill, Collect::kNone), (Stay), (Pass))

}  // namespace killed

namespace {

using namespace twinkle::tests;
using namespace killed;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::New;

struct Job {
  explicit Job(Mode mode)
      : session(Begin({.mode = mode, .groups = {Cpu("g", 2), Cpu("h", 1)}, .notifier = [this](const std::string& text) {
                         told.Add(text);
                       }})) {
    worker = Must(New<Worker>({.remote_group = "g", .name = "worker"}));
    beside = Must(New<Worker>({.remote_group = "g"}));
    other = Must(New<Worker>({.remote_group = "h"}));
    for (const auto& one : {worker, beside, other}) Must(one.component().WaitReady(absl::Seconds(60)));
  }
  Log<std::string> told;
  twinkle::Session session;
  Remote<Worker> worker, beside, other;
};

TEST_CASE("WaitReady says of a component that was ready that it was killed, and where") {
  Job job(Mode::kInProcess);
  const auto found = Must(twinkle::Find<Worker>("worker"));
  job.worker.component().Kill();
  const std::string line = "killed_test.cc:" + std::to_string(__LINE__ - 1);
  for (const auto& handle : {job.worker, job.beside, found}) {
    const absl::Status ready = handle.component().WaitReady(absl::Seconds(60));
    CHECK(absl::IsAborted(ready));
    CHECK_THAT(Told(ready), ContainsSubstring("Worker.WaitReady failed on rank 0 of group 'g'") &&
                                ContainsSubstring("Worker.component().Kill()") && ContainsSubstring(line));
  }
  CHECK(Told(job.other.component().WaitReady(absl::Seconds(60))) == "OK");
  CHECK(Told(job.session.Finish()) == "OK");
}

TEST_CASE("WaitReady says of a component that was ready that it was released") {
  Job job(Mode::kInProcess);
  Must(job.worker.component().Release());
  const absl::Status ready = job.worker.component().WaitReady(absl::Seconds(60));
  CHECK(absl::IsFailedPrecondition(ready));
  CHECK_THAT(Told(ready), ContainsSubstring("Worker.WaitReady failed on rank") && ContainsSubstring("was released"));
  CHECK(Told(job.beside.component().WaitReady(absl::Seconds(60))) == "OK");
  CHECK(Told(job.session.Finish()) == "OK");
}

TEST_CASE("WaitReady says the same of what a method of another group has killed") {
  const Mode mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode);
  const auto killer = Must(New<Killer>({.remote_group = "h"}));
  Must(killer.Kill(job.worker).Get());
  for (const auto& handle : {job.worker, job.beside}) {
    const absl::Status ready = handle.component().WaitReady(absl::Seconds(60));
    CHECK(absl::IsAborted(ready));
    CHECK_THAT(Told(ready), ContainsSubstring("group 'g' was aborted: Worker.component().Kill()"));
    CHECK(absl::IsAborted(handle.Echo({1}).Get().status()));
  }
  CHECK(Told(job.other.component().WaitReady(absl::Seconds(60))) == "OK");
  CHECK(Told(killer.Pass().Get()) == "OK");
  job.session.Finish().IgnoreError();
}

TEST_CASE("a method that kills its own group is Aborted itself") {
  const Mode mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode);
  const auto killer = Must(New<Killer>({.remote_group = "g"}));
  CHECK(absl::IsAborted(killer.Rank(0).Kill(job.worker).Get()));
  CHECK(absl::IsAborted(killer.component().WaitReady(absl::Seconds(60))));
  CHECK(absl::IsAborted(job.worker.Echo({1}).Get().status()));
  CHECK(Told(job.other.Echo({1}).Get()) == "OK");
  job.session.Finish().IgnoreError();
}

TEST_CASE("WaitReady says that a group was aborted since a rank has stayed in a method") {
  const ClosedHere outside(inside), staying(stay);
  auto session = Begin({.mode = Mode::kInProcess, .groups = {Cpu("g", 2)}, .abort_grace = absl::Milliseconds(10)});
  const auto killer = Must(New<Killer>({.remote_group = "g"}));
  Must(killer.component().WaitReady(absl::Seconds(60)));
  const auto stays = killer.Stay();
  const auto behind = killer.Rank(1).Pass();
  inside.Wait();
  stays.Cancel();
  CHECK(absl::IsAborted(behind.Get()));
  const absl::Status ready = killer.component().WaitReady(absl::Seconds(60));
  CHECK(absl::IsAborted(ready));
  CHECK_THAT(Told(ready), ContainsSubstring("it did not leave the method within 10ms"));
  session.Finish().IgnoreError();
}

TEST_CASE("WaitReady of an object of this process says that it was released, or killed by itself") {
  Job job(Mode::kLocal);
  Must(job.beside.component().Release());
  CHECK(absl::IsFailedPrecondition(job.beside.component().WaitReady(absl::Seconds(60))));
  const auto own = Must(New<Worker>({})), untouched = Must(New<Worker>({}));  // they have no group that could end
  own.component().Kill();
  CHECK_THAT(Told(own.component().WaitReady(absl::Seconds(60))), ContainsSubstring("Worker.component().Kill()"));
  CHECK(Told(untouched.component().WaitReady(absl::Seconds(60))) == "OK");
  CHECK(Told(job.worker.component().WaitReady(absl::Seconds(60))) == "OK");
  CHECK(Told(job.session.Finish()) == "OK");
}

// L3. What is made of the call: views and plans of its rows, and calls that take it, to any depth.
void Follow(const Job& job, const Lazy<List>& call) {
  call.Rows(0, 1);
  call.Rows(0, 1).Take({0});
  call.Take({0}).Repeat(2);
  twinkle::Concat(call, call.Rows(0, 1));
  job.other.Echo(call);
  job.other.Echo(job.other.Echo(call.Rows(0, 1))).Rows(0, 1);
}

TEST_CASE("what comes of a call that the caller has cancelled is no failure") {
  Job job(Mode::kInProcess);
  const auto call = job.worker.Wait();
  Follow(job, call);
  call.Cancel();
  CHECK(absl::IsCancelled(call.Get().status()));
  Follow(job, call);  // the same once it is known
  CHECK(absl::IsCancelled(call.Rows(0, 1).Get().status()));
  CHECK(Told(job.session.Finish()) == "OK");
  CHECK(job.told.Take().empty());
}

TEST_CASE("nor is a component that was to be made of it, nor what is called on that, wherever it was to be") {
  Job job(Mode::kInProcess);
  const auto call = job.worker.Wait();
  call.Cancel();
  for (const char* const group : {"", "h"}) {
    CAPTURE(group);
    const auto holder = Must(New<Holder>({.remote_group = group}, call));
    CHECK(absl::IsCancelled(holder.component().WaitReady(absl::Seconds(60))));
    holder.Size();
    Must(New<Holder>({.remote_group = group}, call)).Size();
  }
  CHECK(Told(job.session.Finish()) == "OK");
  CHECK(job.told.Take().empty());
}

TEST_CASE("what comes of a call that the caller has killed is no failure") {
  Job job(Mode::kInProcess);
  const auto call = job.worker.Wait();
  Follow(job, call);
  job.worker.component().Kill();
  CHECK(absl::IsAborted(call.Get().status()));
  Follow(job, call);
  CHECK(Told(job.session.Finish()) == "OK");
  CHECK(job.told.Take().empty());
}

TEST_CASE("what comes of that and of a failure is told as that failure alone") {
  Job job(Mode::kInProcess);
  const auto call = job.worker.Wait();
  call.Cancel();
  const auto wrong = job.other.Echo({1}).Rows(0, 9);
  twinkle::Concat(call, wrong);
  CHECK_THAT(Told(job.session.Finish()), ContainsSubstring("rows [0, 9) of Worker.Echo"));
  const std::vector<std::string> told = job.told.Take();
  CHECK(told.size() == 1);
}

}  // namespace

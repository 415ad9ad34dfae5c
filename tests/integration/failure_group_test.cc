// A rank that fails while its peers wait for it; time limits, Cancel and Kill: who hears what, and what goes on.
#include <twinkle/twinkle.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/session.h"

namespace group {

using twinkle::Collect, twinkle::Dispatch, twinkle::Lazy, twinkle::Timeout;
using List = std::vector<int64_t>;

twinkle::tests::Gate gate, begun;
std::atomic<int> arrived = 0, runs = 0, left = 0;

class Worker {
 public:
  int64_t Where() {
    ++runs;
    return twinkle::Context().rank();
  }
  // All ranks meet. One that fails never comes; the others wait until they hear of it.
  absl::Status Meet(int bad_rank) {
    const twinkle::RankContext context = twinkle::Context();
    if (context.rank() == bad_rank) throw std::runtime_error("rank " + std::to_string(bad_rank) + " fell");
    ++arrived;
    while (arrived < context.world_size()) {
      if (context.Cancelled()) {
        ++left;
        return absl::CancelledError("the others will not come");
      }
      std::this_thread::yield();
    }
    return absl::OkStatus();
  }
  // The same, deaf: waits whatever happens.
  void MeetDeaf(int bad_rank) {
    const twinkle::RankContext context = twinkle::Context();
    if (context.rank() == bad_rank) {
      while (arrived < context.world_size() - 1) std::this_thread::yield();
      throw std::runtime_error("fell among the deaf");
    }
    ++arrived;
    gate.Wait();
    ++left;
  }
  void UntilCancelled() {
    begun.Open();
    twinkle::tests::AwaitCancelled();
    ++left;
  }
  void Limited() { UntilCancelled(); }
  void LimitedDeaf() {
    gate.Wait();
    ++left;
  }
  int64_t LimitedButWaiting(const List& list) { return static_cast<int64_t>(list.size()); }
  void Block() {
    begun.Open();
    gate.Wait();
  }
  List Big() { return List(100000, 7); }
  // Without Cancelled() of its own: from a thread that the method started.
  bool ThreadSees() {
    const twinkle::RankContext context = twinkle::Context();
    std::thread watcher([context] {
      while (!context.Cancelled()) std::this_thread::yield();
    });
    begun.Open();
    watcher.join();
    ++left;
    return true;
  }
  void Fail() { throw std::runtime_error("failed on its own"); }
};
TWINKLE_REMOTE_CLASS(Worker, (), (Where), (Meet), (MeetDeaf), (UntilCancelled),
                     (Limited, Timeout{std::chrono::milliseconds(30)}),
                     (LimitedDeaf, Timeout{std::chrono::milliseconds(30)}),
                     (LimitedButWaiting, Dispatch::kAll, Collect::kFirst, Timeout{std::chrono::seconds(1)}), (Block),
                     (Big, Collect::kFirst), (ThreadSees), (Fail))

}  // namespace group

namespace {

using namespace twinkle::tests;
using namespace group;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::New, twinkle::Remote;

constexpr absl::StatusCode kAborted = absl::StatusCode::kAborted;

// Four ranks that matter, and others that must not be touched.
struct Job {
  explicit Job(twinkle::DeviceGroup of, absl::Duration grace = absl::Seconds(30))
      : session(Begin({.mode = Mode::kInProcess, .groups = {std::move(of), Cpu("other", 2)}, .abort_grace = grace})) {
    gate.Close();
    begun.Close();
    arrived = runs = left = 0;
    worker = Must(New<Worker>({.remote_group = "g"}));
    second = Must(New<Worker>({.remote_group = "g"}));
    other = Must(New<Worker>({.remote_group = "other"}));
    Must(worker.component().WaitReady(absl::Seconds(60)));
  }
  ~Job() { gate.Open(); }

  void CheckGroupAborted() {
    for (const auto& lazy : {worker.Where(), second.Where()}) {
      CHECK(lazy.Get().status().code() == kAborted);
      CHECK_THAT(Told(lazy.Get()), ContainsSubstring("Worker.Where failed on rank") &&
                                       ContainsSubstring("failure_group_test.cc:") &&
                                       ContainsSubstring("group 'g' was aborted"));
    }
    CHECK(worker.Rank(1).Where().Get().status().code() == kAborted);
    CHECK(Must(New<Worker>({.remote_group = "g"})).component().WaitReady(absl::Seconds(60)).code() == kAborted);
    CHECK(Result(other.Where()) == List{0, 1});  // goes on
  }
  void CheckGoesOn() {
    CHECK(Result(worker.Where()) == List{0, 1, 2, 3});
    CHECK(Result(second.Where()) == List{0, 1, 2, 3});
    arrived = 0;
    CHECK(Told(worker.Meet(-1).Get()) == "OK");
  }

  twinkle::Session session;
  Remote<Worker> worker, second, other;
};
twinkle::DeviceGroup EitherKind() { return GENERATE(Cpu("g", 4), Devices("g", 4)); }

TEST_CASE("one rank throws while three wait for it: the caller hears at once, and the component goes on") {
  Job job(EitherKind());
  for (int bad_rank = 0; bad_rank < 4; ++bad_rank) {
    arrived = left = 0;
    const auto met = job.worker.Meet(bad_rank);
    const std::string cause = "rank " + std::to_string(bad_rank) + " fell";
    CHECK(met.Get().code() == absl::StatusCode::kUnknown);
    CHECK_THAT(Told(met.Get()),
               ContainsSubstring("Worker.Meet failed on rank " + std::to_string(bad_rank)) && ContainsSubstring(cause));
    job.CheckGoesOn();
  }
  CHECK(Told(job.session.Finish()) == "OK");
}

TEST_CASE("ranks that have not begun a call that failed elsewhere skip it") {
  Job job(Cpu("g", 4));
  const auto block = job.worker.Rank(3).Block();
  begun.Wait();
  runs = 0;
  const auto failed = job.worker.Fail();  // rank 3 is busy
  CHECK_THAT(Told(failed.Get()), ContainsSubstring("failed on its own"));
  arrived = left = 0;
  const auto met = job.worker.Meet(0);
  CHECK_THAT(Told(met.Get()), ContainsSubstring("rank 0 fell"));
  Must(job.second.Where().Get().status());  // by now all ranks have heard of it
  gate.Open();
  Must(block.Get());
  job.CheckGoesOn();
  CHECK(left <= 2);  // ranks 1 and 2 may have begun, 3 had not
}

TEST_CASE("who does not leave within abort_grace takes the group with it") {
  Job job(EitherKind(), absl::Milliseconds(50));
  const auto deaf = job.worker.MeetDeaf(2);
  const auto queued = job.worker.Where();
  CHECK(deaf.Get().code() == absl::StatusCode::kUnknown);  // the first cause
  CHECK_THAT(Told(deaf.Get()), ContainsSubstring("failed on rank 2") && ContainsSubstring("fell among the deaf"));
  CHECK(queued.Get().status().code() == kAborted);
  CHECK_THAT(Told(queued.Get()), ContainsSubstring("did not leave") && ContainsSubstring("fell among the deaf"));
  job.CheckGroupAborted();
  CHECK(Told(job.session.Finish()) == "OK");  // nobody waits for the lanes; all failures were looked at
  CHECK(left == 0);
  gate.Open();
  while (left < 3) std::this_thread::yield();
}

TEST_CASE("a time limit that passes is DeadlineExceeded, and the component goes on") {
  Job job(EitherKind());
  const auto limited = job.worker.Limited();
  const std::string line = "failure_group_test.cc:" + std::to_string(__LINE__ - 1);
  CHECK(limited.Get().code() == absl::StatusCode::kDeadlineExceeded);
  CHECK_THAT(Told(limited.Get()), ContainsSubstring("Worker.Limited") && ContainsSubstring(line) &&
                                      ContainsSubstring("group 'g'") && ContainsSubstring("30ms"));
  job.CheckGoesOn();
  CHECK(job.worker.Rank(1).Limited().Get().code() == absl::StatusCode::kDeadlineExceeded);
  job.CheckGoesOn();
  CHECK(Told(job.session.Finish()) == "OK");
}

TEST_CASE("a time limit that passes while ranks stay in the method ends in an aborted group") {
  Job job(EitherKind(), absl::Milliseconds(20));
  CHECK(job.worker.LimitedDeaf().Get().code() == absl::StatusCode::kDeadlineExceeded);
  while (job.worker.Where().Get().status().code() != kAborted) std::this_thread::yield();
  job.CheckGroupAborted();
  CHECK(Told(job.session.Finish()) == "OK");
}

TEST_CASE("a time limit counts from the moment the arguments are known") {
  Job job(Cpu("g", 4));
  const auto block = job.other.Block();
  const auto late = job.other.Big();
  const auto limited = job.worker.LimitedButWaiting(late);
  CHECK(limited.Wait(absl::Milliseconds(1200)).code() == absl::StatusCode::kDeadlineExceeded);  // of this Wait
  CHECK_FALSE(limited.Ready());
  gate.Open();
  CHECK(Result(limited) == 100000);
}

TEST_CASE("Cancel ends a call under way with Cancelled, and its ranks hear of it") {
  Job job(EitherKind());
  const auto call = job.worker.UntilCancelled();
  const std::string line = "failure_group_test.cc:" + std::to_string(__LINE__ - 1);
  begun.Wait();
  const auto copy = call;
  copy.Cancel();
  CHECK(call.Get().code() == absl::StatusCode::kCancelled);
  CHECK_THAT(Told(call.Get()), ContainsSubstring("Worker.UntilCancelled") && ContainsSubstring(line));
  call.Cancel();  // again: nothing
  job.CheckGoesOn();
  const auto seen = job.worker.ThreadSees();
  begun.Wait();
  seen.Cancel();
  CHECK(seen.Get().status().code() == absl::StatusCode::kCancelled);
  job.CheckGoesOn();
}

TEST_CASE("Cancel of a call that has not begun: no rank runs it") {
  Job job(Cpu("g", 4));
  const auto block = job.worker.Block();
  begun.Wait();
  runs = 0;
  const auto queued = job.worker.Where();
  queued.Cancel();
  CHECK(queued.Get().status().code() == absl::StatusCode::kCancelled);
  Must(job.second.Where().Get().status());  // by now all ranks have heard of it
  gate.Open();
  Must(block.Get());
  CHECK(runs == 4);  // of the second component
  job.CheckGoesOn();
  const auto done = job.worker.Where();
  Must(done.Get().status());
  done.Cancel();  // too late
  CHECK(Result(done) == List{0, 1, 2, 3});
}

TEST_CASE("a cancelled call keeps nobody behind it waiting") {
  Job job(EitherKind());
  const auto block = job.worker.Block();
  std::vector<Lazy<List>> queued;
  for (int i = 0; i < 20; ++i) queued.push_back((i % 2 == 0 ? job.worker : job.second).Where());
  for (size_t i = 0; i < queued.size(); i += 3) queued[i].Cancel();
  gate.Open();
  Must(block.Get());
  for (size_t i = 0; i < queued.size(); ++i) {
    const absl::StatusCode code = queued[i].Get().status().code();
    CHECK((code == absl::StatusCode::kOk || (i % 3 == 0 && code == absl::StatusCode::kCancelled)));
  }
  job.CheckGoesOn();
}

TEST_CASE("Cancel of a call that waits for an argument lets the later ones go") {
  Job job(EitherKind());
  const auto block = job.other.Block();
  const auto waiting = job.worker.LimitedButWaiting(job.other.Big());
  const auto behind = job.worker.Where();
  CHECK_FALSE(behind.Ready());
  waiting.Cancel();
  CHECK(waiting.Get().status().code() == absl::StatusCode::kCancelled);
  CHECK(Result(behind) == List{0, 1, 2, 3});
  gate.Open();
}

TEST_CASE("Kill ends the group at once: what is under way, what comes later, all its components") {
  Job job(EitherKind());
  const auto made = job.worker.Big();
  Must(made.Wait(absl::Seconds(60)));
  const auto block = job.worker.Block();
  const auto queued = job.worker.Where();
  const auto of_second = job.second.Rank(2).Block();
  begun.Wait();
  job.worker.component().Kill();
  const std::string line = "failure_group_test.cc:" + std::to_string(__LINE__ - 1);
  for (const absl::Status& status : {block.Get(), queued.Get().status(), of_second.Get()}) {
    CHECK(status.code() == kAborted);
    CHECK_THAT(Told(status), ContainsSubstring("group 'g'") && ContainsSubstring("Kill") && ContainsSubstring(line));
  }
  job.CheckGroupAborted();
  CHECK((made.Get().ok() || made.Get().status().code() == absl::StatusCode::kDataLoss));
  CHECK(job.worker.component().Release().code() != absl::StatusCode::kInternal);
  job.worker.component().Kill();              // again: nothing
  CHECK(Told(job.session.Finish()) == "OK");  // although Block is still in user code
  gate.Open();
}

TEST_CASE("a handle that another process holds hears of a killed group too") {
  Job job(Cpu("g", 4));
  job.other.component().Kill();
  CHECK(job.other.Where().Get().status().code() == kAborted);
  job.CheckGoesOn();
}

}  // namespace

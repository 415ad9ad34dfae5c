// Failures that nobody looked at: the notifier, the log, and what Finish returns.
#include <twinkle/twinkle.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/session.h"

namespace unread {

using twinkle::Collect, twinkle::Dispatch, twinkle::Lazy, twinkle::Remote;
using List = std::vector<int64_t>;

class Worker {
 public:
  Worker() = default;
  explicit Worker(const std::string& why) { throw std::runtime_error(why); }
  List Fail(const std::string& why) { throw std::runtime_error(why); }
  List Echo(const List& list) { return list; }
  void Nothing() {}
  // A failure of a call that the method makes, and does not look at.
  void Drop(const Remote<Worker>& other, const std::string& why);
  std::optional<List> Next() { throw std::runtime_error("next"); }
};
TWINKLE_REMOTE_CLASS(Worker, (), (Fail, Collect::kFlatten), (Echo, Dispatch::kAll, Collect::kFlatten), (Nothing),
                     (Drop), (Next, Collect::kFirst))
void Worker::Drop(const Remote<Worker>& other, const std::string& why) { other.Fail(why); }

absl::StatusOr<List> Refuse(const std::vector<List>&, const twinkle::DeviceMesh*) {
  return absl::DataLossError("cannot be joined");
}
class Unjoinable : public Worker {};
TWINKLE_REMOTE_CLASS(Unjoinable, (), (Echo, Dispatch::kAll, twinkle::CollectBy<&Refuse>))

}  // namespace unread

namespace {

using namespace twinkle::tests;
using namespace unread;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::New;

struct Job {
  explicit Job(Mode mode, std::function<void(const std::string&)> notifier = {})
      : session(Begin({.mode = mode, .groups = {Cpu("g", 2), Cpu("h", 1)}, .notifier = std::move(notifier)})) {
    worker = Must(New<Worker>({.remote_group = "g"}));
    other = Must(New<Worker>({.remote_group = "h"}));
  }
  twinkle::Session session;
  Remote<Worker> worker, other;
};

TEST_CASE("Finish returns the first failure that nobody looked at, and logs them all with the caller's line") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode);
  const auto looked_at = job.worker.Fail("seen by the caller");
  CHECK_FALSE(looked_at.Get().ok());
  const auto first = job.worker.Fail("first");
  const std::string line = "failure_unread_test.cc:" + std::to_string(__LINE__ - 1);
  while (!first.Ready()) std::this_thread::yield();
  job.worker.Fail("second");
  CapturedStderr captured;
  const absl::Status ended = job.session.Finish();
  CHECK(ended.code() == absl::StatusCode::kUnknown);
  CHECK_THAT(Told(ended),
             ContainsSubstring("Worker.Fail failed") && ContainsSubstring(line) && ContainsSubstring("first"));
  CHECK(ended.GetPayload("twinkle.v1.ErrorDetail").has_value());
  const std::string text = captured.Text();
  CHECK_THAT(text, ContainsSubstring("]: first") && ContainsSubstring("]: second") && ContainsSubstring(line));
  CHECK(text.find("seen by the caller") == std::string::npos);
}

TEST_CASE("the destructor logs what nobody looked at") {
  CapturedStderr captured;
  {
    Job job(Mode::kInProcess);
    job.worker.Fail("dropped");
  }
  CHECK_THAT(captured.Text(), ContainsSubstring("Worker.Fail failed") && ContainsSubstring("]: dropped"));
}

// Every way to be given a failure.
using Look = std::function<void(const Lazy<List>&)>;
const std::vector<std::pair<const char*, Look>> kLooks = {
    {"Get", [](const Lazy<List>& lazy) { CHECK_FALSE(lazy.Get().ok()); }},
    {"Get &&", [](const Lazy<List>& lazy) { CHECK_FALSE(Lazy<List>(lazy).Get().ok()); }},
    {"Size", [](const Lazy<List>& lazy) { CHECK_FALSE(lazy.Size().ok()); }},
    {"Wait", [](const Lazy<List>& lazy) { CHECK_FALSE(lazy.Wait(absl::InfiniteDuration()).ok()); }},
    {"WaitAll", [](const Lazy<List>& lazy) { CHECK_FALSE(twinkle::WaitAll(std::vector{lazy}).ok()); }},
    {"iteration", [](const Lazy<List>& lazy) { CHECK_THROWS(lazy.begin()); }},
    {"Rows", [](const Lazy<List>& lazy) { CHECK_FALSE(lazy.Rows(0, 1).Get().ok()); }},
    {"Rows of Rows", [](const Lazy<List>& lazy) { CHECK_FALSE(lazy.Rows(0, 1).Rows(0, 1).Size().ok()); }},
};

TEST_CASE("a failure that was looked at in any way is not returned by Finish") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  for (const auto& [name, look] : kLooks) {
    CAPTURE(name);
    Job job(mode);
    look(job.worker.Fail("why"));
    CHECK(Told(job.session.Finish()) == "OK");
  }
}

TEST_CASE("so is one that a dependent call's failure told of") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  for (const auto& [name, look] : kLooks) {
    CAPTURE(name);
    Job job(mode);
    const auto failed = job.worker.Fail("why");
    const auto dependent = job.other.Echo(failed);
    look(job.worker.Echo(dependent.Rows(0, 0)));
    CHECK(Told(job.session.Finish()) == "OK");
  }
}

TEST_CASE("of a chain that nobody looked at, Finish returns the failure that began it") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  Job job(mode);
  job.other.Echo(job.worker.Fail("the cause"));
  const absl::Status ended = job.session.Finish();
  CHECK_THAT(Told(ended), ContainsSubstring("UNKNOWN: Worker.Fail failed") && ContainsSubstring("the cause"));
}

TEST_CASE("asking whether it is ready, or for any of several, does not look at a failure") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  Job job(mode);
  const std::vector<Lazy<List>> failed = {job.worker.Fail("why")};
  CHECK(Must(twinkle::WaitAny(failed)) == 0);
  CHECK(failed[0].Ready());
  CHECK_THAT(Told(job.session.Finish()), ContainsSubstring("why"));
  CHECK_THAT(Told(failed[0].Get()), ContainsSubstring("why"));  // it is still there
}

TEST_CASE("constructors fail like calls") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode);
  auto broken = Must(New<Worker>({.remote_group = "g"}, "cannot be made"));
  const int way = GENERATE(0, 1, 2, 3);
  CAPTURE(way);
  if (way == 1) CHECK_FALSE(broken.component().WaitReady(absl::Seconds(60)).ok());
  if (way == 2) CHECK_FALSE(broken.Nothing().Get().ok());
  if (way == 3) broken.Nothing();
  const absl::Status ended = job.session.Finish();
  if (way == 1 || way == 2) {
    CHECK(Told(ended) == "OK");
  } else {
    CHECK_THAT(Told(ended), ContainsSubstring("Worker.constructor failed") && ContainsSubstring("cannot be made"));
  }
}

TEST_CASE("a failing collect is a failure too, once somebody asked") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  Job job(mode);
  auto unjoinable = Must(New<Unjoinable>({.remote_group = "g"}));
  const auto echo = unjoinable.Echo({1});
  CHECK_FALSE(echo.Get().ok());
  CHECK(Told(job.session.Finish()) == "OK");
}

TEST_CASE("an iteration hands its failure out") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  Job job(mode);
  int rounds = 0;
  for (const auto& item : job.worker.Next.Each()) rounds += item.Ready() ? 1 : 0;
  CHECK(rounds == 1);
  CHECK(Told(job.session.Finish()) == "OK");
}

TEST_CASE("failures of calls that methods made come out too") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Log<std::string> told;
  Job job(mode, [&](const std::string& message) { told.Add(message); });
  Must(job.worker.Drop(job.other, "dropped inside").Get());
  CHECK_THAT(Told(job.session.Finish()),
             ContainsSubstring("Worker.Fail failed") && ContainsSubstring("dropped inside"));
  const auto messages = told.Take();
  CHECK(messages.size() == (mode == Mode::kLocal ? 1U : 2U));  // of each rank of g one
  for (const std::string& message : messages) CHECK_THAT(message, ContainsSubstring("dropped inside"));
}

TEST_CASE("the notifier is told of every failure, once, one at a time, in a thread of its own") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Log<std::string> told;
  std::atomic<int> inside = 0, most = 0;
  std::atomic<bool> in_caller = false;
  const auto caller = std::this_thread::get_id();
  Job job(mode, [&](const std::string& message) {
    most = std::max<int>(most, ++inside);
    if (std::this_thread::get_id() == caller) in_caller = true;
    told.Add(message);
    std::this_thread::yield();
    --inside;
  });
  constexpr int kCalls = 100;
  for (int i = 0; i < kCalls; ++i) {
    const auto failed = job.worker.Fail("why " + std::to_string(i) + ".");
    if (i % 2 == 0) CHECK_FALSE(failed.Get().ok());  // looked at or not
  }
  Must(job.worker.Nothing().Get());
  CHECK_FALSE(job.session.Finish().ok());
  const auto messages = told.Take();
  CHECK(messages.size() == kCalls);  // none is lost at the end
  for (int i = 0; i < kCalls; ++i) {
    const std::string why = "]: why " + std::to_string(i) + ".";
    CHECK(std::count_if(messages.begin(), messages.end(), [&](const std::string& message) {
            return message.find("Worker.Fail failed") != std::string::npos && message.find(why) != std::string::npos;
          }) == 1);
  }
  CHECK(most == 1);
  CHECK_FALSE(in_caller);
}

TEST_CASE("what the notifier throws does no harm") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  std::atomic<int> calls = 0;
  CapturedStderr captured;
  Job job(mode, [&](const std::string&) {
    if (++calls % 2 == 0) throw 42;
    throw std::runtime_error("the notifier fell");
  });
  for (int i = 0; i < 4; ++i) CHECK_FALSE(job.worker.Fail("why").Get().ok());
  CHECK(Result(job.worker.Echo({1})).front() == 1);
  CHECK(Told(job.session.Finish()) == "OK");
  CHECK(calls == 4);
}

TEST_CASE("the notifier may use the session") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  Remote<Worker> worker;
  std::atomic<int> answered = 0;
  Gate done;
  done.Close();
  Job job(mode, [&](const std::string&) {
    if (worker.Echo({1}).Get().ok()) ++answered;
    done.Open();
  });
  worker = job.worker;
  CHECK_FALSE(job.worker.Fail("why").Get().ok());
  done.Wait();
  CHECK(Told(job.session.Finish()) == "OK");
  CHECK(answered == 1);
}

TEST_CASE("in the notifier Finish is refused at once") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess, Mode::kCluster);
  CAPTURE(NameOf(mode));
  Job* current = nullptr;
  std::string told;
  Gate done;
  done.Close();
  Job job(mode, [&](const std::string&) {
    told = Told(current->session.Finish());
    done.Open();
  });
  current = &job;
  CHECK_FALSE(job.worker.Fail("why").Get().ok());
  done.Wait();
  CHECK_THAT(told, ContainsSubstring("FAILED_PRECONDITION: Finish was called in the notifier"));
  CHECK(Told(job.session.Finish()) == "OK");
}

}  // namespace

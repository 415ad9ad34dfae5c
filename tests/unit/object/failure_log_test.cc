#include "runtime/object/failure_log.h"

#include <absl/strings/cord.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"

namespace twinkle::object {
namespace {

using Causes = std::vector<std::shared_ptr<Failure>>;

TEST_CASE("the end gives the first failure that nobody looked at, and forgets all") {
  FailureLog log({}, nullptr);
  CHECK(log.Close().ok());
  log.Add(absl::UnknownError("seen"))->Look();
  log.Add(absl::NotFoundError("first"));
  log.Add(absl::AbortedError("second"));
  const absl::Status first = log.Close();
  CHECK(absl::IsNotFound(first));
  CHECK(std::string(first.message()) == "first");
  CHECK(log.Close().ok());
  log.Add(absl::AbortedError("later"));
  CHECK(absl::IsAborted(log.Close()));
}

TEST_CASE("who looks at a failure has looked at all that caused it") {
  FailureLog log({}, nullptr);
  const auto root = log.Add(absl::UnknownError("root"));
  const auto other = log.Add(absl::UnknownError("another root"));
  const auto middle = log.Add(absl::UnknownError("middle"), Causes{root, other});
  const auto top = log.Add(absl::UnknownError("top"), Causes{middle});
  CHECK_FALSE(top->looked_at());
  top->Look();
  CHECK(top->looked_at());
  CHECK(middle->looked_at());
  CHECK(root->looked_at());
  CHECK(other->looked_at());
  CHECK(log.Close().ok());
}

TEST_CASE("a loss is a failure of its own, and the cause of what fails of it; of two the first counts") {
  const std::vector<base::ProcessId> processes = {3, 4};
  FailureLog log({}, nullptr);
  CHECK(log.LossOf(3) == nullptr);
  log.AddLoss(processes, absl::AbortedError("rank 0 is gone"));
  CHECK(absl::IsAborted(log.Close()));
  FailureLog seen({}, nullptr);
  seen.AddLoss(processes, absl::AbortedError("rank 0 is gone"));
  seen.AddLoss(processes, absl::UnavailableError("the driver is gone"));
  CHECK(absl::IsAborted(seen.LossOf(4)->status()));
  CHECK(seen.LossOf(5) == nullptr);
  seen.Add(absl::AbortedError("a call"), Causes{seen.LossOf(4)})->Look();
  CHECK(absl::IsUnavailable(seen.Close()));  // of which nobody has heard
}

TEST_CASE("who has looked at a loss knows of all that failed of it alone") {
  const std::vector<base::ProcessId> processes = {3};
  const absl::Status gone = absl::AbortedError("K.Get failed: its process is gone: group 'pool' was aborted");
  FailureLog log({}, nullptr);
  log.AddLoss(processes, gone);
  log.Add(gone, Causes{log.LossOf(3)});  // a constructor, say, whose Lazy nobody has
  SECTION("nobody has") { CHECK(log.Close() == gone); }
  SECTION("through another call") {
    log.Add(gone, Causes{log.LossOf(3)})->Look();
    CHECK(log.Close().ok());
  }
  SECTION("what failed of something else, too, is not known") {
    const auto other = log.Add(absl::UnknownError("other"));
    log.Add(gone, Causes{log.LossOf(3), other});
    log.LossOf(3)->Look();
    other->Look();
    CHECK(log.Close() == gone);
  }
  SECTION("nor what failed by itself while there was a loss") {
    log.Add(absl::AbortedError("its own"), Causes{log.LossOf(3)});
    log.LossOf(3)->Look();
    CHECK(log.Close().message() == "its own");
  }
}

TEST_CASE(
    "a loss that is another process's to tell of is no failure here; who looks at what failed of it is heard once") {
  const std::vector<base::ProcessId> processes = {3, 4};
  const absl::Status gone = absl::AbortedError("K.Get failed: its process is gone: group 'pool' was aborted");
  FailureLog log({}, nullptr);
  int looks = 0;
  log.NoteLoss(processes, absl::AbortedError("rank 0 is gone"), [&] { ++looks; });
  CHECK(log.LossesLookedAt().empty());
  CHECK(log.Close().ok());
  const auto first = log.Add(gone, Causes{log.LossOf(3)});
  const auto second = log.Add(gone, Causes{log.LossOf(4)});
  CHECK(looks == 0);
  first->Look();
  first->Look();
  second->Look();
  CHECK(looks == 1);
  CHECK(log.LossesLookedAt().size() == 1);
  CHECK(log.LossOf(log.LossesLookedAt().front()) == log.LossOf(3));
}

TEST_CASE("a loss that another process has looked at is known, whichever of the two comes first") {
  const std::vector<base::ProcessId> processes = {3, 4};
  const absl::Status gone = absl::AbortedError("K.Get failed: its process is gone: group 'pool' was aborted");
  FailureLog log({}, nullptr);
  const bool early = GENERATE(true, false);
  if (early) log.LookAtLoss(4);
  log.AddLoss(processes, gone);
  log.Add(gone, Causes{log.LossOf(3)});
  if (!early) log.LookAtLoss(4);
  CHECK(log.Close().ok());
  log.LookAtLoss(77);  // of what was never lost
  log.AddLoss(std::vector<base::ProcessId>{5}, absl::AbortedError("another"));
  CHECK(log.Close().message() == "another");
}

TEST_CASE("who looks at a cause has not looked at what it caused") {
  FailureLog log({}, nullptr);
  const auto root = log.Add(absl::UnknownError("root"));
  const auto top = log.Add(absl::AbortedError("top"), Causes{root});
  root->Look();
  CHECK_FALSE(top->looked_at());
  CHECK(absl::IsAborted(log.Close()));
}

TEST_CASE("a cause that is looked at through one way is so through all, and shared causes do no harm") {
  FailureLog log({}, nullptr);
  const auto root = log.Add(absl::UnknownError("root"));
  const auto left = log.Add(absl::UnknownError("left"), Causes{root});
  const auto right = log.Add(absl::UnknownError("right"), Causes{root});
  const auto top = log.Add(absl::UnknownError("top"), Causes{left, right});
  left->Look();
  CHECK(root->looked_at());
  CHECK_FALSE(right->looked_at());
  top->Look();
  CHECK(right->looked_at());
}

TEST_CASE("the notifier is told on its queue, one failure at a time, looked at or not") {
  base::SteppedExecutor executor;
  const auto queue = executor.NewQueue("notify");
  std::vector<std::string> told;
  FailureLog log([&](const std::string& message) { told.push_back(message); }, queue.get());
  absl::Status status = absl::UnknownError("one");
  status.SetPayload("url", absl::Cord("not for people"));
  log.Add(status)->Look();
  log.Add(absl::NotFoundError("two"))->Look();
  CHECK(told.empty());
  CHECK(executor.Step("notify"));
  CHECK(told == std::vector<std::string>{"UNKNOWN: one"});
  executor.RunAll();
  CHECK(told == std::vector<std::string>{"UNKNOWN: one", "NOT_FOUND: two"});
}

TEST_CASE("what the notifier throws is dropped") {
  base::SteppedExecutor executor;
  const auto queue = executor.NewQueue("notify");
  int told = 0;
  FailureLog log(
      [&](const std::string&) {
        ++told;
        if (told == 1) throw std::runtime_error("no");
        if (told == 2) throw 2;
      },
      queue.get());
  for (int i = 0; i < 3; ++i) log.Add(absl::UnknownError("boom"))->Look();
  executor.RunAll();
  CHECK(told == 3);
}

TEST_CASE("a thread is in the notifier while that runs, also when it throws") {
  base::SteppedExecutor executor;
  const auto queue = executor.NewQueue("notify");
  int inside = 0;
  FailureLog log(
      [&](const std::string&) {
        inside += InNotifier() ? 1 : 0;
        throw 1;
      },
      queue.get());
  log.Add(absl::UnknownError("boom"))->Look();
  CHECK_FALSE(InNotifier());
  executor.RunAll();
  CHECK(inside == 1);
  CHECK_FALSE(InNotifier());
}

TEST_CASE("the notifier's queue may outlive the log") {
  base::SteppedExecutor executor;
  const auto queue = executor.NewQueue("notify");
  std::vector<std::string> told;
  {
    FailureLog log([&](const std::string& message) { told.push_back(message); }, queue.get());
    log.Add(absl::UnknownError("one"))->Look();
  }
  executor.RunAll();
  CHECK(told == std::vector<std::string>{"UNKNOWN: one"});
}

TEST_CASE("failures that were looked at make room for later ones") {
  FailureLog log({}, nullptr);
  for (int i = 0; i < 3000; ++i) log.Add(absl::UnknownError("seen"))->Look();
  log.Add(absl::NotFoundError("not seen"));
  CHECK(absl::IsNotFound(log.Close()));
}

}  // namespace
}  // namespace twinkle::object

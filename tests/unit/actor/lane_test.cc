#include "runtime/actor/lane.h"

#include <absl/strings/match.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"
#include "tests/support/limited_executor.h"

namespace twinkle::actor {
namespace {

using CallPtr = std::shared_ptr<IncomingCall>;
using Ids = std::vector<uint64_t>;

// A lane whose threads are stepped, and what began there, by id. Calls end when the test says so.
struct Stage {
  explicit Stage(int threads, int threads_there = 1000)
      : executor(threads_there),
        lane(
            &executor, "lane", threads, [this](const CallPtr& call) { begun.push_back(call->message.call); },
            [this](const CallPtr&, const absl::Status& why) { refused.push_back(why); }) {}

  // A call that waits for that many arguments.
  CallPtr Add(uint64_t id, size_t missing = 0, Operation operation = Operation::kMethod) {
    auto call = std::make_shared<IncomingCall>();
    call->message.call = id;
    call->message.operation = operation;
    call->arguments_missing = missing;
    lane.Add(call);
    return call;
  }
  void Arrive(const CallPtr& call) {
    --call->arguments_missing;
    lane.Pump();
  }

  tests::LimitedExecutor executor;
  Ids begun;
  std::vector<absl::Status> refused;
  Lane lane;
};

TEST_CASE("calls begin in the order in which they were added, on the lane's thread (LA1)") {
  Stage stage(1);
  for (uint64_t id : {1, 2, 3}) stage.Add(id);
  CHECK(stage.begun.empty());
  CHECK(stage.executor.stepped.Ready() == std::vector<std::string>{"lane"});
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3});
}

TEST_CASE("a call that waits for its arguments holds up those behind it (LA1)") {
  Stage stage(1);
  stage.Add(1);
  const CallPtr waiting = stage.Add(2, 2);
  stage.Add(3);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1});
  stage.Arrive(waiting);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1});
  stage.Arrive(waiting);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3});
}

TEST_CASE("nothing begins after a construction before it has been answered (LA5)") {
  Stage stage(1);
  const CallPtr construct = stage.Add(1, 0, Operation::kConstruct);
  stage.Add(2);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1});
  stage.lane.Done(construct);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1, 2});
}

TEST_CASE("a lane is busy from the moment a call is given to its thread until it has left it") {
  Stage stage(1);
  const CallPtr waiting = stage.Add(1, 1);
  CHECK_FALSE(stage.lane.busy());
  stage.Arrive(waiting);
  CHECK(stage.lane.busy());
  stage.executor.stepped.RunAll();
  CHECK(stage.lane.busy());
  stage.lane.Done(waiting);
  CHECK_FALSE(stage.lane.busy());
}

TEST_CASE("several threads run as many calls at once, beginning in order (LA1)") {
  Stage stage(2);
  const CallPtr one = stage.Add(1);
  const CallPtr two = stage.Add(2);
  stage.Add(3);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1, 2});
  stage.lane.Done(two);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3});
  stage.lane.Done(one);
  stage.Add(4, 1);
  stage.Add(5);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3});  // one thread is idle, but it is not 5's turn
}

TEST_CASE("construction and destruction run alone, whatever the number of threads (LA1)") {
  Stage stage(3);
  const CallPtr construct = stage.Add(1, 0, Operation::kConstruct);
  const CallPtr method = stage.Add(2);
  const CallPtr other = stage.Add(3);
  const CallPtr destroy = stage.Add(4, 0, Operation::kDestroy);
  stage.Add(5);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1});
  stage.lane.Done(construct);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3});
  stage.lane.Done(method);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3});
  stage.lane.Done(other);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3, 4});
  stage.lane.Done(destroy);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3, 4, 5});
}

TEST_CASE("an abandoned lane begins nothing more") {
  Stage stage(1);
  stage.Add(1);
  stage.executor.stepped.RunAll();
  stage.Add(2);
  stage.lane.Abandon();
  stage.Add(3);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1});
  CHECK(stage.lane.Destroy({}, base::kLongAgo));  // there is nothing to wait for
}

TEST_CASE("a thread is started when a call needs it (LA4)") {
  Stage stage(1000);
  const CallPtr construct = stage.Add(0, 0, Operation::kConstruct);
  stage.executor.stepped.RunAll();
  CHECK(stage.executor.made == 1);
  stage.lane.Done(construct);
  std::vector<CallPtr> calls;
  for (uint64_t id : {1, 2, 3}) calls.push_back(stage.Add(id));
  stage.executor.stepped.RunAll();
  CHECK(stage.executor.made == 3);
  for (const CallPtr& call : calls) stage.lane.Done(call);
  for (uint64_t id : {4, 5}) stage.Add(id);
  stage.executor.stepped.RunAll();
  CHECK(stage.executor.made == 3);  // they are used again
}

TEST_CASE("where no more threads can be had calls run with those that there are (LA4)") {
  Stage stage(1000);
  stage.executor.most = 2;
  const CallPtr one = stage.Add(1);
  const CallPtr two = stage.Add(2);
  stage.Add(3);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1, 2});
  stage.lane.Done(one);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3});
  stage.executor.most = 3;  // the shortage has passed
  stage.Add(4);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3, 4});
  CHECK(stage.refused.empty());
}

TEST_CASE("without any thread a call is refused, and the next tries again (LA4)") {
  Stage stage(1, 0);
  stage.Add(1);
  REQUIRE(stage.refused.size() == 1);
  CHECK(absl::IsResourceExhausted(stage.refused[0]));
  CHECK(absl::StrContains(stage.refused[0].message(), "no more threads (ulimit -u"));
  CHECK_FALSE(stage.lane.busy());
  stage.executor.most = 1;
  stage.Add(2);
  stage.executor.stepped.RunAll();
  CHECK(stage.begun == Ids{2});
}

TEST_CASE("a lane may go with the destruction that it refuses (LA4)") {
  tests::LimitedExecutor executor(0);
  std::shared_ptr<Lane> lane;
  Ids refused;
  const auto refuse = [&](const CallPtr& call, const absl::Status&) {
    refused.push_back(call->message.call);
    lane = nullptr;
  };
  lane = std::make_shared<Lane>(
      &executor, "lane", 1, [](const CallPtr&) {}, refuse);
  std::vector<CallPtr> calls;
  for (uint64_t id : {1, 2}) {
    calls.push_back(std::make_shared<IncomingCall>());
    calls.back()->message.call = id;
    calls.back()->message.operation = Operation::kDestroy;
    calls.back()->arguments_missing = 2 - id;
  }
  Lane& there = *lane;
  for (const CallPtr& call : calls) there.Add(call);
  CHECK(refused.empty());
  calls[0]->arguments_missing = 0;
  there.Pump();
  CHECK(refused == Ids{1, 2});
}

}  // namespace
}  // namespace twinkle::actor

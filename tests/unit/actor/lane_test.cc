#include "runtime/actor/lane.h"

#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"

namespace twinkle::actor {
namespace {

using CallPtr = std::shared_ptr<IncomingCall>;
using Ids = std::vector<uint64_t>;

// A lane whose threads are stepped, and what began there, by id. Calls end when the test says so.
struct Stage {
  explicit Stage(int threads)
      : lane(&executor, "lane", threads, [this](const CallPtr& call) { begun.push_back(call->message.call); }) {}

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

  base::SteppedExecutor executor;
  Ids begun;
  Lane lane;
};

TEST_CASE("calls begin in the order in which they were added, on the lane's thread (N1)") {
  Stage stage(1);
  for (uint64_t id : {1, 2, 3}) stage.Add(id);
  CHECK(stage.begun.empty());
  CHECK(stage.executor.Ready() == std::vector<std::string>{"lane"});
  stage.executor.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3});
}

TEST_CASE("a call that waits for its arguments holds up those behind it (N1)") {
  Stage stage(1);
  stage.Add(1);
  const CallPtr waiting = stage.Add(2, 2);
  stage.Add(3);
  stage.executor.RunAll();
  CHECK(stage.begun == Ids{1});
  stage.Arrive(waiting);
  stage.executor.RunAll();
  CHECK(stage.begun == Ids{1});
  stage.Arrive(waiting);
  stage.executor.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3});
}

TEST_CASE("a lane is busy from the moment a call is given to its thread until it has left it") {
  Stage stage(1);
  const CallPtr waiting = stage.Add(1, 1);
  CHECK_FALSE(stage.lane.busy());
  stage.Arrive(waiting);
  CHECK(stage.lane.busy());
  stage.executor.RunAll();
  CHECK(stage.lane.busy());
  stage.lane.Done(waiting);
  CHECK_FALSE(stage.lane.busy());
}

TEST_CASE("several threads run as many calls at once, beginning in order (N1)") {
  Stage stage(2);
  const CallPtr one = stage.Add(1);
  const CallPtr two = stage.Add(2);
  stage.Add(3);
  stage.executor.RunAll();
  CHECK(stage.begun == Ids{1, 2});
  stage.lane.Done(two);
  stage.executor.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3});
  stage.lane.Done(one);
  stage.Add(4, 1);
  stage.Add(5);
  stage.executor.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3});  // one thread is idle, but it is not 5's turn
}

TEST_CASE("construction and destruction run alone, whatever the number of threads (N1)") {
  Stage stage(3);
  const CallPtr construct = stage.Add(1, 0, Operation::kConstruct);
  const CallPtr method = stage.Add(2);
  const CallPtr other = stage.Add(3);
  const CallPtr destroy = stage.Add(4, 0, Operation::kDestroy);
  stage.Add(5);
  stage.executor.RunAll();
  CHECK(stage.begun == Ids{1});
  stage.lane.Done(construct);
  stage.executor.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3});
  stage.lane.Done(method);
  stage.executor.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3});
  stage.lane.Done(other);
  stage.executor.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3, 4});
  stage.lane.Done(destroy);
  stage.executor.RunAll();
  CHECK(stage.begun == Ids{1, 2, 3, 4, 5});
}

TEST_CASE("an abandoned lane begins nothing more") {
  Stage stage(1);
  stage.Add(1);
  stage.executor.RunAll();
  stage.Add(2);
  stage.lane.Abandon();
  stage.Add(3);
  stage.executor.RunAll();
  CHECK(stage.begun == Ids{1});
  CHECK(stage.lane.Destroy({}, base::kLongAgo));  // there is nothing to wait for
}

TEST_CASE("code on one of a lane's threads knows that it is there") {
  base::SteppedExecutor executor;
  std::vector<bool> inside;
  std::unique_ptr<Lane> lane;
  lane = std::make_unique<Lane>(&executor, "lane", 2, [&](const CallPtr&) { inside.push_back(lane->InLane()); });
  for (int i = 0; i < 2; ++i) {
    auto call = std::make_shared<IncomingCall>();
    call->arguments_missing = 0;
    lane->Add(call);
  }
  CHECK_FALSE(lane->InLane());
  executor.RunAll();
  CHECK(inside == std::vector<bool>{true, true});
}

}  // namespace
}  // namespace twinkle::actor

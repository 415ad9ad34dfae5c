// How operations end when a rank does not do its part, step by step.
#include "runtime/base/stepped_executor.h"
#include "tests/unit/collective/net_rank.h"

namespace twinkle::collective {
namespace {

using Catch::Matchers::ContainsSubstring;
using TaskPtr = std::shared_ptr<Task>;

Record RecordOf(Operation operation, int line, int root = 0) {
  return {.operation = operation, .root = root, .file = "train.cc", .line = line};
}
Record FloatsRecord(Operation operation, int line, int64_t count, int root = 0) {
  Record record = RecordOf(operation, line, root);
  record.rows = count;
  record.row_size = 1;
  return record;
}
Tensor Floats(int64_t count) { return Tensor::Zeros(DType::kFloat32, {count}).value(); }

// Nothing runs but what a test says.
class SteppedRanks {
 public:
  explicit SteppedRanks(int count, Meeting::Options options = {})
      : ranks_(&executor_, std::vector<uint64_t>(static_cast<size_t>(count), 1), options) {
    ranks_.Begin(1);
  }

  NetRank& operator[](int rank) { return ranks_[static_cast<size_t>(rank)]; }
  NetRanks& all() { return ranks_; }
  Meeting& At(int rank) { return *meetings_[static_cast<size_t>(rank)]; }
  TaskPtr Issue(int rank, Record record, Tensor tensor) {
    Open(rank);
    absl::StatusOr<TaskPtr> task = At(rank).Issue(std::move(record), std::move(tensor));
    REQUIRE(task.ok());
    return *task;
  }
  TaskPtr AllReduce(int rank, int line = 10, int64_t count = 4) {
    return Issue(rank, FloatsRecord(Operation::kAllReduce, line, count), Floats(count));
  }
  // What has been sent arrives, and those who wait go on, until nothing is left to do.
  void Run() {
    for (int round = 0; round < 20; ++round) {
      executor_.RunAll();
      for (const auto& meeting : meetings_) {
        if (meeting != nullptr) meeting->Advance().IgnoreError();
      }
    }
  }
  // The rank has waited for that for a while: it asks, and looks at the answer.
  absl::Status Waited(int rank, const TaskPtr& task) {
    At(rank).Ask(task);
    Run();
    return At(rank).Look(task);
  }
  absl::Status StatusAt(int rank) { return At(rank).Advance(); }
  void Kill(int rank) {
    ranks_.network().Kill(ranks_[static_cast<size_t>(rank)].id(), absl::UnavailableError("killed by signal 9"));
  }

 private:
  void Open(int rank) {
    meetings_.resize(ranks_.size());
    auto& meeting = meetings_[static_cast<size_t>(rank)];
    if (meeting == nullptr) meeting = ranks_[static_cast<size_t>(rank)].Meet();
  }
  base::SteppedExecutor executor_;
  NetRanks ranks_;
  std::vector<std::shared_ptr<Meeting>> meetings_;
};

void CheckSays(const absl::Status& status, absl::StatusCode code, const std::vector<std::string>& texts) {
  CHECK(status.code() == code);
  for (const std::string& text : texts) CHECK_THAT(std::string(status.message()), ContainsSubstring(text));
}

TEST_CASE("a rank's death ends what its peers wait for, in whatever state they are (MT2)") {
  const bool moving = GENERATE(false, true);
  SteppedRanks ranks(3, {.group = {.carried_bytes = moving ? 0 : 100}});
  ranks.AllReduce(0);
  ranks.AllReduce(1);
  if (moving) {
    ranks.AllReduce(2);  // it says so, and does nothing more
    ranks.all().network().Hold(3, 1, rpc::Stream::kData);
  }
  ranks.Kill(2);
  ranks.Run();
  for (int rank : {0, 1}) {
    CheckSays(ranks.StatusAt(rank), absl::StatusCode::kAborted,
              {"rank 2 (host, pid 3) has ended", "killed by signal 9"});
  }
}

TEST_CASE("who comes after a death hears of it at once") {
  SteppedRanks ranks(2);
  ranks.Kill(1);
  ranks.Run();
  CHECK(absl::IsAborted(ranks[0].Meet()->Issue(RecordOf(Operation::kBarrier, 1), Tensor()).status()));
}

TEST_CASE("a rank that has failed is named, with its cause (MT4)") {
  SteppedRanks ranks(3);
  const TaskPtr task = ranks.AllReduce(0);
  ranks.AllReduce(1);
  SECTION("before it was asked") {
    ranks[2].End(absl::UnknownError("Trainer.Step failed on rank 2: no such file"));
    ranks.Run();
    ranks.Waited(0, task).IgnoreError();
  }
  SECTION("after it was asked") {
    CHECK(ranks.Waited(0, task).ok());
    ranks[2].End(absl::UnknownError("Trainer.Step failed on rank 2: no such file"));
    ranks.Run();
    ranks.At(0).Look(task).IgnoreError();
  }
  ranks.Run();
  for (int rank : {0, 1}) {
    CheckSays(ranks.StatusAt(rank), absl::StatusCode::kAborted,
              {"rank 2 (host, pid 3) has failed", "Trainer.Step failed on rank 2: no such file"});
  }
}

TEST_CASE("a rank that leaves without what its peers wait for is named, with that") {
  SteppedRanks ranks(3);
  const TaskPtr task = ranks.AllReduce(0);
  ranks.AllReduce(1);
  ranks[2].End();
  ranks.Run();
  ranks.Waited(0, task).IgnoreError();
  ranks.Run();
  for (int rank : {0, 1}) {
    CheckSays(ranks.StatusAt(rank), absl::StatusCode::kFailedPrecondition,
              {"rank 2 (host, pid 3) has left the method", "AllReduce(sum, float32, 16 bytes) at train.cc:10"});
  }
}

TEST_CASE("different operations, sizes, dtypes and roots fail on all ranks, which are told both") {
  SteppedRanks ranks(3);
  SECTION("operations") {
    ranks.AllReduce(0);
    ranks.AllReduce(1);
    ranks.Issue(2, FloatsRecord(Operation::kBroadcast, 20, 4), Floats(4));
  }
  SECTION("sizes") {
    ranks.AllReduce(0);
    ranks.AllReduce(1);
    ranks.AllReduce(2, 20, 5);
  }
  SECTION("dtypes") {
    ranks.AllReduce(0);
    ranks.AllReduce(1);
    Record doubles = FloatsRecord(Operation::kAllReduce, 20, 4);
    doubles.dtype = DType::kFloat64;
    ranks.Issue(2, doubles, Tensor::Zeros(DType::kFloat64, {4}).value());
  }
  SECTION("roots") {
    ranks.Issue(0, FloatsRecord(Operation::kReduce, 10, 4, 1), Floats(4));
    ranks.Issue(1, FloatsRecord(Operation::kReduce, 10, 4, 1), Floats(4));
    ranks.Issue(2, FloatsRecord(Operation::kReduce, 20, 4, 2), Floats(4));
  }
  ranks.Run();
  for (int rank : {0, 1, 2}) {
    CheckSays(ranks.StatusAt(rank), absl::StatusCode::kFailedPrecondition,
              {"different operations", "train.cc:10", "train.cc:20", "rank 2"});
  }
}

TEST_CASE("two ranks that send to each other, or wait in different operations, do not wait for ever") {
  SteppedRanks ranks(2);
  const TaskPtr first = ranks.Issue(0, FloatsRecord(Operation::kSend, 10, 4, 1), Floats(4));
  TaskPtr second;
  SECTION("both send") { second = ranks.Issue(1, FloatsRecord(Operation::kSend, 20, 4, 0), Floats(4)); }
  SECTION("one sends") {
    ranks.Run();
    second = ranks.AllReduce(1, 20);
  }
  ranks.Run();
  ranks.Waited(0, first).IgnoreError();
  ranks.Waited(1, second).IgnoreError();
  ranks.Run();
  for (int rank : {0, 1}) {
    CheckSays(ranks.StatusAt(rank), absl::StatusCode::kFailedPrecondition,
              {"wait for each other", "Send(float32, 16 bytes, to rank 1) at train.cc:10", "train.cc:20"});
  }
}

TEST_CASE("a rank that only takes its time is waited for, however often it is asked") {
  SteppedRanks ranks(2);
  const TaskPtr task = ranks.AllReduce(0);
  for (int i = 0; i < 3; ++i) CHECK(ranks.Waited(0, task).ok());
  ranks.AllReduce(1);
  ranks.Run();
  CHECK(task->done());
}

TEST_CASE("operations of all ranks go on in order, those of pairs beside them (MT3)") {
  SteppedRanks ranks(2);
  const TaskPtr first = ranks.AllReduce(0, 1);
  const TaskPtr second = ranks.AllReduce(0, 2);
  const TaskPtr send = ranks.Issue(0, FloatsRecord(Operation::kSend, 3, 4, 1), Floats(4));
  const TaskPtr take = ranks.Issue(1, FloatsRecord(Operation::kRecv, 3, 4, 0), Floats(4));
  ranks.Run();
  CHECK(send->done());
  CHECK(take->done());
  CHECK_FALSE(first->done());
  ranks.AllReduce(1, 1);
  ranks.Run();
  CHECK(first->done());
  CHECK_FALSE(second->done());
}

TEST_CASE("what comes for a later call waits for it, and the communicator works again after a failure (CL1, CL2)") {
  SteppedRanks ranks(2);
  ranks.AllReduce(0);
  ranks[0].End(absl::UnknownError("failed"));
  ranks[1].End();
  ranks.Run();
  SteppedRanks* const both = &ranks;
  (*both)[0].Begin(2);
  const std::shared_ptr<Meeting> at_0 = (*both)[0].Meet();
  const TaskPtr task = *at_0->Issue(RecordOf(Operation::kBarrier, 1), Tensor());
  ranks.Run();
  (*both)[1].Begin(2);
  const std::shared_ptr<Meeting> at_1 = (*both)[1].Meet();
  CHECK(at_1->Issue(RecordOf(Operation::kBarrier, 1), Tensor()).ok());
  for (int round = 0; round < 5; ++round) {
    ranks.Run();
    CHECK(at_0->Advance().ok());
    CHECK(at_1->Advance().ok());
  }
  CHECK(task->done());
}

TEST_CASE("no data goes to a rank that has not issued the operation (GO1)") {
  SteppedRanks ranks(2, {.group = {.carried_bytes = 0}});
  const TaskPtr task = ranks.Issue(0, FloatsRecord(Operation::kBroadcast, 1, 4), Floats(4));
  ranks.Run();
  CHECK(task->state() == Task::State::kGathering);
  ranks.Issue(1, FloatsRecord(Operation::kBroadcast, 1, 4), Floats(4));
  ranks.Run();
  CHECK(task->done());
}

TEST_CASE("a cancelled call gives up, and its peers are told") {
  SteppedRanks ranks(2);
  const TaskPtr task = ranks.AllReduce(0);
  ranks[0].cancellation().Cancel(absl::DeadlineExceededError("it has taken 2s"));
  CheckSays(ranks.At(0).Wait(task), absl::StatusCode::kAborted, {"AllReduce", "it has taken 2s"});
  ranks.AllReduce(1);
  ranks.Run();
  CheckSays(ranks.StatusAt(1), absl::StatusCode::kAborted, {"it has taken 2s"});
}

TEST_CASE("a method that ends before what it has issued ends that on all ranks") {
  SteppedRanks ranks(2);
  ranks.AllReduce(0);
  ranks[0].End();
  ranks.AllReduce(1);
  ranks.Run();
  CheckSays(ranks.StatusAt(1), absl::StatusCode::kFailedPrecondition, {"rank 0 (host, pid 1) has left the method"});
}

}  // namespace
}  // namespace twinkle::collective

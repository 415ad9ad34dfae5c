// A watcher's stream, step by step.
#include "worker/output_service.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/fake_writer.h"

namespace twinkle::worker {
namespace {

constexpr uint64_t kOutputJob = 7;
constexpr uint64_t kProcess = 71;

using Texts = std::vector<std::string>;

// A node with one process, which has printed a line.
struct OutputNode {
  OutputNode() {
    v1::Process process;
    process.set_id(kProcess);
    process.set_group("pool");
    store.AddProcess(kOutputJob, process);
    Print("kept");
  }
  void Print(const std::string& line) { store.Add(kProcess, 100, false, {{line, false}}); }
  grpc::ServerWriteReactor<v1::Output>* Watch(bool follow, uint64_t job = kOutputJob) {
    v1::WatchJob wish;
    wish.set_job(job);
    wish.set_tail(-1);
    wish.set_rank(-1);
    wish.set_follow(follow);
    return service.Serve(wish);
  }

  LogFiles files{{}, nullptr};
  OutputStore store{{}, &files};
  OutputService service{{}, &store};
};

using OutputWriter = tests::FakeWriter<v1::Output>;

Texts TextsOf(const v1::Output& output) {
  Texts texts;
  for (const v1::Output::Line& line : output.lines()) texts.push_back(line.text());
  return texts;
}

TEST_CASE("who follows is sent what was kept, then what comes, one message at a time, until the job has ended") {
  OutputNode node;
  OutputWriter writer(node.Watch(/*follow=*/true));
  REQUIRE(writer.writing());
  node.Print("one");
  node.Print("two");
  CHECK(TextsOf(writer.EndWrite()) == Texts{"kept"});
  CHECK(TextsOf(writer.EndWrite()) == Texts{"one"});
  node.store.EndJob(kOutputJob);
  CHECK_FALSE(writer.finished());  // while a message is under way
  CHECK(TextsOf(writer.EndWrite()) == Texts{"two"});
  CHECK(writer.Done().ok());
}

TEST_CASE("who does not follow is sent what was kept, and no more") {
  OutputNode node;
  OutputWriter writer(node.Watch(/*follow=*/false));
  node.Print("later");
  CHECK(TextsOf(writer.EndWrite()) == Texts{"kept"});
  CHECK(writer.Done().ok());
}

TEST_CASE("a job that has no processes here is not found") {
  OutputNode node;
  OutputWriter writer(node.Watch(/*follow=*/true, kOutputJob + 1));
  const grpc::Status status = writer.Done();
  CHECK(status.error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(status.error_message() == "job 8 has no processes on this node");
}

TEST_CASE("a watcher that leaves amid a message is written nothing more, and what waited for it is dropped") {
  OutputNode node;
  OutputWriter writer(node.Watch(/*follow=*/true));
  node.Print("one");
  writer.Cancel();
  CHECK_FALSE(writer.finished());
  writer.EndWrite(/*ok=*/false);
  CHECK_FALSE(writer.writing());
  CHECK(writer.finished());
  node.Print("two");
  CHECK_FALSE(writer.writing());
  CHECK(writer.Done().error_code() == grpc::StatusCode::CANCELLED);
  node.Print("three");  // to nobody
}

TEST_CASE("a watcher that leaves while nothing is written is done at once, and one is told nothing of another's end") {
  OutputNode node;
  OutputWriter leaves(node.Watch(/*follow=*/true));
  OutputWriter stays(node.Watch(/*follow=*/true));
  leaves.EndWrite();
  stays.EndWrite();
  leaves.Cancel();
  CHECK(leaves.Done().error_code() == grpc::StatusCode::CANCELLED);
  node.Print("one");
  CHECK(TextsOf(stays.EndWrite()) == Texts{"one"});
  node.store.EndJob(kOutputJob);
  CHECK(stays.Done().ok());
}

}  // namespace
}  // namespace twinkle::worker

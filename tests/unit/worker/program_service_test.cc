// The sending of a file, step by step.
#include "worker/program_service.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/executor.h"
#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"
#include "tests/support/fake_writer.h"
#include "tests/support/folder.h"

namespace twinkle::worker {
namespace {

using Catch::Matchers::ContainsSubstring;
using ChunkWriter = tests::FakeWriter<v1::FileChunk>;

v1::FetchProgram File(const std::string& path) {
  v1::FetchProgram wanted;
  wanted.set_path(path);
  return wanted;
}

// Files are read when the test says so, and all at once: good for such as are sent in no more than one piece.
struct SteppedService {
  base::SteppedExecutor executor;
  SideThreads threads{&executor, [](base::Task) {}};
  ProgramService service{{}, "pids", &threads};
};

// Threads that begin to work when the test says so.
class HeldThreads final : public base::Executor {
 public:
  ~HeldThreads() override { Begin(); }

  void Begin() { begun_->Set(); }
  std::unique_ptr<base::TaskQueue> NewQueue(std::string name) override {
    std::unique_ptr<base::TaskQueue> queue = threads_->NewQueue(std::move(name));
    queue->Post([begun = begun_] { begun->WaitUntil(base::kForever); });
    return queue;
  }
  base::Instant Now() const override { return threads_->Now(); }

 private:
  const std::unique_ptr<base::Executor> threads_ = base::NewThreadExecutor();
  const std::shared_ptr<base::Event> begun_ = std::make_shared<base::Event>();
};

// Files are read on threads, once the writers of their calls are bound. What a call writes before that is handed over
// by a mutex in libgrpc, which the thread sanitizer does not see.
struct Threaded {
  HeldThreads executor;
  SideThreads threads{&executor, [](base::Task) {}};
  ProgramService service{{}, "pids", &threads};
};

TEST_CASE("a file comes in pieces, each once the one before is on its way") {
  const tests::Folder folder;
  std::string text;
  for (int i = 0; text.size() < (5 << 19); ++i) text += std::to_string(i) + "\n";
  std::ofstream(folder / "file") << text;
  Threaded node;
  ChunkWriter writer(node.service.Serve(File(folder / "file")));
  node.executor.Begin();
  std::string came;
  int pieces = 0;
  for (; writer.AwaitWrite(); ++pieces) came += writer.EndWrite().bytes();
  CHECK(writer.Done().ok());
  CHECK(pieces == 3);
  CHECK(came == text);
}

TEST_CASE("an empty file is no failure") {
  const tests::Folder folder;
  std::ofstream(folder / "file").flush();
  SteppedService node;
  ChunkWriter writer(node.service.Serve(File(folder / "file")));
  CHECK_FALSE(writer.finished());  // it is not read on the caller's thread
  node.executor.RunAll();
  CHECK_FALSE(writer.writing());
  CHECK(writer.Done().ok());
}

TEST_CASE("what is no regular file, or is not there, is told with its path") {
  const tests::Folder folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0700) == 0);
  SteppedService node;
  ChunkWriter fifo(node.service.Serve(File(folder / "fifo")));
  ChunkWriter nothing(node.service.Serve(File(folder / "nothing")));
  node.executor.RunAll();
  const grpc::Status refused = fifo.Done();
  CHECK(refused.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK_THAT(refused.error_message(), ContainsSubstring(folder / "fifo"));
  const grpc::Status missing = nothing.Done();
  CHECK(missing.error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK_THAT(missing.error_message(), ContainsSubstring(folder / "nothing"));
}

TEST_CASE("a program is the file that its process runs where its pid means that, else the one at its path") {
  const tests::Folder folder;
  std::ofstream(folder / "program") << "of the path";
  for (const bool knows_pid : {true, false}) {
    v1::FetchProgram wanted;
    wanted.set_pids(knows_pid ? "pids" : "others");
    wanted.set_pid(::getpid());
    wanted.set_executable(folder / "program");
    Threaded node;
    ChunkWriter writer(node.service.Serve(wanted));
    node.executor.Begin();
    REQUIRE(writer.AwaitWrite());
    const std::string first = writer.EndWrite().bytes();
    CHECK((first == "of the path") == !knows_pid);
    if (knows_pid)
      CHECK(first.substr(0, 4) ==
            "\x7f"
            "ELF");
    writer.Cancel();
    while (writer.AwaitWrite()) writer.EndWrite();
    writer.Done();
  }
}

TEST_CASE("a caller that leaves amid a piece ends the reading") {
  const tests::Folder folder;
  std::ofstream(folder / "file") << std::string(5 << 20, 'x');
  Threaded node;
  ChunkWriter writer(node.service.Serve(File(folder / "file")));
  node.executor.Begin();
  REQUIRE(writer.AwaitWrite());
  SECTION("as the service hears") {
    writer.Cancel();
    CHECK_FALSE(writer.finished());
    writer.EndWrite(false);
  }
  SECTION("as the piece does not get through") { writer.EndWrite(false); }
  CHECK_FALSE(writer.writing());
  CHECK(writer.Done().error_code() == grpc::StatusCode::CANCELLED);
}

TEST_CASE("a file on storage that hangs can be given up by its caller; more than so many at once are refused") {
  const tests::Folder folder;
  std::ofstream(folder / "file") << "x";
  SteppedService node;  // nothing is ever read
  constexpr int kMost = 64;
  std::vector<std::unique_ptr<ChunkWriter>> hanging;
  for (int i = 0; i < kMost; ++i) {
    hanging.push_back(std::make_unique<ChunkWriter>(node.service.Serve(File(folder / "file"))));
  }
  ChunkWriter refused(node.service.Serve(File(folder / "file")));
  CHECK(refused.Done().error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  for (const auto& writer : hanging) {
    writer->Cancel();
    CHECK(writer->Done().error_code() == grpc::StatusCode::CANCELLED);
  }
  node.executor.RunAll();  // and nothing is written when it comes to life
}

}  // namespace
}  // namespace twinkle::worker

#include "worker/log_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "runtime/base/fd.h"
#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::worker {
namespace {

using Catch::Matchers::ContainsSubstring;

// The writing thread is stepped: it writes when the test says so.
struct SteppedLogs {
  explicit SteppedLogs(LogFileOptions options) {
    options.end_limit = absl::ZeroDuration();
    files = std::make_unique<LogFiles>(options, &executor);
  }
  base::SteppedExecutor executor;
  std::unique_ptr<LogFiles> files;
};

TEST_CASE("files are written, and turned over when they have grown") {
  const tests::Folder folder;
  SteppedLogs logs({.folder = folder.path(), .file_bytes = 8});
  logs.files->Open(10, 4, "policy", 2);
  logs.files->Write(10, "first\n", 1);
  logs.files->Write(10, "second\n", 1);
  logs.files->Write(10, "third\n", 1);
  logs.executor.Drain("log-files");
  CHECK(folder.Read("job-4/policy-2.log.1") == "first\nsecond\n");
  CHECK(folder.Read("job-4/policy-2.log") == "third\n");
}

TEST_CASE("LF2, LF3: what the disk does not take in time is bounded, and told in its place") {
  const tests::Folder folder;
  SteppedLogs logs({.folder = folder.path(), .most_waiting = 10});
  logs.files->Open(10, 4, "policy", 0);
  logs.files->Write(10, "one\n", 1);
  logs.files->Write(10, "two\nthree\n", 2);
  logs.files->Write(10, "four\nfive\n", 2);
  logs.executor.Drain("log-files");
  logs.files->Write(10, "six\n", 1);
  logs.executor.Drain("log-files");
  const std::string text = folder.Read("job-4/policy-0.log");
  CHECK_THAT(text, ContainsSubstring("one\n[twinkle-worker: 4 lines are missing here"));
  CHECK_THAT(text, ContainsSubstring("]\nsix\n"));
}

TEST_CASE("LF3: lines that were missing at the end are told when the file is closed") {
  const tests::Folder folder;
  SteppedLogs logs({.folder = folder.path(), .most_waiting = 4});
  logs.files->Open(10, 4, "policy", 0);
  logs.files->Write(10, "one\n", 1);
  logs.files->Write(10, "two\n", 1);
  logs.files->Close(10);
  logs.executor.Drain("log-files");
  CHECK_THAT(folder.Read("job-4/policy-0.log"), ContainsSubstring("one\n[twinkle-worker: 1 lines are missing here"));
}

TEST_CASE("what was given before a flush is in the files after it") {
  const tests::Folder folder;
  const std::unique_ptr<base::Executor> executor = base::NewThreadExecutor();
  LogFiles files({.folder = folder.path(), .end_limit = absl::Seconds(30)}, executor.get());
  files.Open(10, 4, "policy", 0);
  for (int i = 0; i < 1000; ++i) files.Write(10, "a line\n", 1);
  files.Flush();
  CHECK(folder.Read("job-4/policy-0.log").size() == 7000);
}

TEST_CASE("LF1: a file that nobody takes blocks its own thread, neither who writes nor the end") {
  const tests::Folder folder;
  std::filesystem::create_directories(folder.path() + "/job-4");
  const std::string fifo = folder.path() + "/job-4/policy-0.log";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const std::unique_ptr<base::Executor> executor = base::NewThreadExecutor();
  {
    LogFiles files({.folder = folder.path(), .most_waiting = 100, .end_limit = absl::Milliseconds(500)},
                   executor.get());
    files.Open(10, 4, "policy", 0);
    for (int i = 0; i < 1000; ++i) files.Write(10, "a line\n", 1);
  }
  // Lets the thread that was left behind go on to its end.
  const base::Fd reader(::open(fifo.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 6> line{};
  CHECK(::read(reader.get(), line.data(), line.size()) == 6);
  CHECK(std::string(line.data(), 6) == "a line");
}

TEST_CASE("a file that cannot be written costs its lines, which are counted, and is tried again") {
  const tests::Folder folder;
  std::ofstream(folder.path() + "/job-4") << "no folder";
  SteppedLogs logs({.folder = folder.path()});
  logs.files->Open(10, 4, "policy", 0);
  logs.files->Write(10, "one\n", 1);
  logs.executor.Drain("log-files");
  std::filesystem::remove(folder.path() + "/job-4");
  logs.files->Write(10, "two\n", 1);
  logs.executor.Drain("log-files");
  const std::string text = folder.Read("job-4/policy-0.log");
  CHECK_THAT(text, ContainsSubstring("[twinkle-worker: 1 lines are missing here"));
  CHECK_THAT(text, ContainsSubstring("two\n"));
}

TEST_CASE("where no thread can be had no files are written, and nobody is harmed") {
  class Exhausted final : public base::Executor {
    std::unique_ptr<base::TaskQueue> NewQueue(std::string) override { return nullptr; }
    base::Instant Now() const override { return base::Now(); }
  };
  const tests::Folder folder;
  Exhausted executor;
  LogFiles files({.folder = folder.path()}, &executor);
  CHECK_FALSE(files.enabled());
  files.Open(10, 4, "policy", 0);
  files.Write(10, "one\n", 1);
  files.Close(10);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("whatever a group is called, its file is in its job's folder") {
  CHECK(FileNameOf("policy_2-b.x") == "policy_2-b.x");
  CHECK(FileNameOf("a/b") == "a%2fb");
  CHECK(FileNameOf("../../x") == "%2e.%2f..%2fx");
  CHECK(FileNameOf("a\nb") == "a%0ab");
  CHECK(FileNameOf(std::string(1000, 'x')).size() < 200);
  CHECK(FileNameOf("a%2fb") != FileNameOf("a/b"));
}

}  // namespace
}  // namespace twinkle::worker

#include "worker/program_store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/stepped_executor.h"
#include "runtime/rpc/file_digest.h"
#include "tests/support/catch.h"
#include "tests/support/folder.h"
#include "worker/program_fetch.h"
#include "worker/same_file.h"

namespace twinkle::worker {
namespace {

using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string DigestOf(const std::string& path) {
  return *rpc::FileDigest(base::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)).get());
}

// A store whose threads, and whose loop, are stepped.
struct SteppedStore {
  explicit SteppedStore(std::function<absl::Status(const v1::FetchProgram&, const std::string&, int)> fetch = {})
      : store({.node = "n",
               .place = Here(),
               .fetch = std::move(fetch),
               .scratch = [this](const std::string& folder) { scratch.push_back(folder); },
               .scratch_gone = [this](const std::string& folder) { scratch_gone.push_back(folder); }},
              &executor, [this](base::Task task) { loop.push_back(std::move(task)); }) {}

  static v1::Place Here() {
    v1::Place place;
    place.set_machine("machine");
    place.set_pids("pids");
    return place;
  }
  void RunLoop() {
    while (!loop.empty()) {
      base::Task task = std::move(loop.front());
      loop.pop_front();
      task();
    }
  }
  void RunAll() {
    do {
      executor.RunAll();
      RunLoop();
    } while (!executor.Ready().empty());
  }
  // Once it is there.
  std::optional<absl::StatusOr<Brought>>& Bring(const v1::StartJob& start) {
    auto& result = results[start.job()];
    store.Bring(start, [&result](absl::StatusOr<Brought> brought) { result = std::move(brought); });
    return result;
  }

  base::SteppedExecutor executor;
  std::deque<base::Task> loop;
  std::vector<std::string> scratch;
  std::vector<std::string> scratch_gone;
  std::map<uint64_t, std::optional<absl::StatusOr<Brought>>> results;
  ProgramStore store;
};

v1::StartJob Job(uint64_t number, const std::string& executable) {
  v1::StartJob start;
  start.set_job(number);
  *start.mutable_program()->mutable_place() = SteppedStore::Here();
  start.mutable_program()->mutable_place()->set_pid(::getpid());
  start.mutable_program()->set_executable(executable);
  start.mutable_program_node()->set_address("elsewhere:1");
  start.mutable_program_node()->set_socket("unix:elsewhere");
  return start;
}

v1::StartJob JobElsewhere(uint64_t number, const std::string& executable, const std::string& digest) {
  v1::StartJob start = Job(number, executable);
  start.mutable_program()->mutable_place()->set_pids("others");
  start.mutable_program()->set_digest(digest);
  return start;
}

void AddFile(v1::StartJob& start, const std::string& path, const std::string& digest = "") {
  v1::File& file = *start.mutable_program()->add_files();
  file.set_path(path);
  file.set_digest(digest);
}

ino_t InodeOf(int fd) {
  struct stat found {};
  REQUIRE(::fstat(fd, &found) == 0);
  return found.st_ino;
}

TEST_CASE("beside the program the very file that it runs is taken, whatever its path says") {
  SteppedStore stepped;
  auto& result = stepped.Bring(Job(1, "/nowhere"));
  CHECK_FALSE(result);
  stepped.RunAll();
  REQUIRE(result);
  REQUIRE(result->ok());
  CHECK(InodeOf((*result)->program->get()) == InodeOf(base::Fd(::open("/proc/self/exe", O_RDONLY)).get()));
  CHECK((*result)->folder.empty());
}

TEST_CASE("where its pid means another process, it is the file at its path that counts, by its digest") {
  const tests::Folder folder;
  std::ofstream(folder / "program") << "a program";
  const std::string digest = DigestOf(folder / "program");
  SteppedStore stepped;
  auto& same = stepped.Bring(JobElsewhere(1, folder / "program", digest));
  auto& other = stepped.Bring(JobElsewhere(2, folder / "program", std::string(64, '0')));
  auto& unknown = stepped.Bring(JobElsewhere(3, folder / "program", ""));
  stepped.RunAll();
  REQUIRE(same->ok());
  CHECK(InodeOf((**same).program->get()) == InodeOf(base::Fd(::open((folder / "program").c_str(), O_RDONLY)).get()));
  REQUIRE_FALSE(other->ok());
  CHECK_THAT(std::string(other->status().message()), ContainsSubstring("is another file than the program's"));
  CHECK(absl::IsFailedPrecondition(unknown->status()));
}

TEST_CASE("PG2, PG3: what comes late for a job that was dropped is not given to the next one of its number") {
  const tests::Folder folder;
  std::ofstream(folder / "old") << "old";
  std::ofstream(folder / "new") << "new";
  SteppedStore stepped;
  v1::StartJob dropped = JobElsewhere(1, folder / "old", DigestOf(folder / "old"));
  bool told = false;
  stepped.store.Bring(dropped, [&](const absl::StatusOr<Brought>&) { told = true; });
  stepped.executor.RunAll();
  stepped.store.Drop(1);
  auto& result = stepped.Bring(JobElsewhere(1, folder / "new", DigestOf(folder / "new")));
  stepped.RunLoop();
  CHECK_FALSE(result);
  stepped.RunAll();
  CHECK_FALSE(told);
  REQUIRE(result);
  REQUIRE(result->ok());
  CHECK(InodeOf((*result)->program->get()) == InodeOf(base::Fd(::open((folder / "new").c_str(), O_RDONLY)).get()));
}

TEST_CASE("a program is opened for its path alone: it need not be readable, and a FIFO stops nobody") {
  const tests::Folder folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0700) == 0);
  std::ofstream(folder / "program") << "a program";
  REQUIRE(::chmod((folder / "program").c_str(), 0111) == 0);
  CHECK(OpenForPath(folder / "program").ok());
  CHECK(absl::IsInvalidArgument(OpenForPath(folder / "fifo").status()));
  SteppedStore stepped;
  auto& result = stepped.Bring(JobElsewhere(1, folder / "fifo", std::string(64, '0')));
  stepped.RunAll();
  REQUIRE(result);
  CHECK_THAT(std::string(result->status().message()), ContainsSubstring("is no regular file"));
}

TEST_CASE("what is not here is brought once, checked, and kept for the next job") {
  const tests::Folder folder;
  std::ofstream(folder / "original") << "a program";
  int fetched = 0;
  SteppedStore stepped([&](const v1::FetchProgram& wanted, const std::string& from, int to) {
    ++fetched;
    CHECK(from == "unix:elsewhere");
    CHECK(wanted.pids() == "others");
    CHECK(wanted.executable() == "/nowhere");
    return WriteAll(to, "a program");
  });
  auto& first = stepped.Bring(JobElsewhere(1, "/nowhere", DigestOf(folder / "original")));
  stepped.RunAll();
  stepped.store.Drop(1);
  auto& second = stepped.Bring(JobElsewhere(2, "/nowhere", DigestOf(folder / "original")));
  auto& wrong = stepped.Bring(JobElsewhere(3, "/nowhere", std::string(64, '1')));
  stepped.RunAll();
  CHECK(first->ok());
  CHECK(second->ok());
  CHECK(absl::IsDataLoss(wrong->status()));
  CHECK(fetched == 2);
}

TEST_CASE("files are links beside the program and checked copies elsewhere, in a folder that goes with the job") {
  const tests::Folder folder;
  std::ofstream(folder / "here") << "here";
  std::ofstream(folder / "brought") << "brought";
  SteppedStore stepped([&](const v1::FetchProgram&, const std::string&, int to) { return WriteAll(to, "brought"); });
  v1::StartJob beside = Job(1, "/nowhere");
  AddFile(beside, folder / "here");
  v1::StartJob elsewhere = JobElsewhere(2, folder / "here", DigestOf(folder / "here"));
  AddFile(elsewhere, folder / "here", DigestOf(folder / "here"));
  AddFile(elsewhere, "/nowhere/else", DigestOf(folder / "brought"));
  auto& first = stepped.Bring(beside);
  auto& second = stepped.Bring(elsewhere);
  stepped.RunAll();
  REQUIRE(first->ok());
  REQUIRE(second->ok());
  const std::string one = (**first).folder, two = (**second).folder;
  CHECK(fs::path(one).is_absolute());
  CHECK(Read(one + "/here") == "here");
  CHECK(fs::is_symlink(one + "/here"));
  CHECK(Read(two + "/here") == "here");
  CHECK(Read(two + "/else") == "brought");
  CHECK_FALSE(fs::is_symlink(two + "/else"));
  CHECK(stepped.scratch == std::vector<std::string>{one, two});
  stepped.store.Drop(1);
  stepped.store.Drop(2);
  CHECK_FALSE(stepped.store.idle());
  stepped.RunAll();
  CHECK(stepped.store.idle());
  CHECK_FALSE(fs::exists(one));
  CHECK_FALSE(fs::exists(two));
  CHECK(stepped.scratch_gone.size() == 2);
}

TEST_CASE("PG3: a folder goes with the daemon as soon as it is made, while it is being filled") {
  const tests::Folder folder;
  std::ofstream(folder / "here") << "here";
  SteppedStore* at = nullptr;
  size_t told = 0;
  SteppedStore stepped([&](const v1::FetchProgram&, const std::string&, int) {
    at->RunLoop();
    told = at->scratch.size();
    return absl::UnavailableError("the other node is gone");
  });
  at = &stepped;
  v1::StartJob job = JobElsewhere(1, folder / "here", DigestOf(folder / "here"));
  AddFile(job, "/nowhere/else", "a digest");
  const auto& result = stepped.Bring(job);
  stepped.RunAll();
  REQUIRE(result);
  CHECK_FALSE(result->ok());
  CHECK(told == 1);
  stepped.store.Drop(1);
  stepped.RunAll();
  REQUIRE(stepped.scratch.size() == 1);
  CHECK_FALSE(fs::exists(stepped.scratch[0]));
  CHECK(stepped.scratch_gone == stepped.scratch);
}

TEST_CASE("PG1: a job whose storage hangs delays no other") {
  SteppedStore stepped;
  auto& hangs = stepped.Bring(Job(1, "/nowhere"));
  auto& other = stepped.Bring(Job(2, "/nowhere"));
  stepped.executor.Drain("job-2");
  stepped.RunLoop();
  CHECK_FALSE(hangs);
  CHECK(other);
}

TEST_CASE("PG2, PG3: of a job that was dropped meanwhile nothing is told, and nothing is left") {
  const tests::Folder folder;
  std::ofstream(folder / "file") << "file";
  fs::create_directory(folder / "tmp");
  const std::string before = fs::temp_directory_path();
  ::setenv("TMPDIR", (folder / "tmp").c_str(), 1);
  SteppedStore stepped;
  v1::StartJob job = Job(1, "/nowhere");
  AddFile(job, folder / "file");
  auto& result = stepped.Bring(job);
  stepped.executor.Drain("job-1");  // it is done, but the loop does not know yet
  ::setenv("TMPDIR", before.c_str(), 1);
  CHECK_FALSE(fs::is_empty(folder / "tmp"));
  stepped.store.Drop(1);
  stepped.RunAll();
  CHECK_FALSE(result);
  CHECK(stepped.store.idle());
  CHECK(fs::is_empty(folder / "tmp"));
}

TEST_CASE("where no folder for a job's files can be made, the error names the place and what says so") {
  const tests::Folder folder;
  std::ofstream(folder / "file") << "file";
  const std::string before = fs::temp_directory_path();
  ::setenv("TMPDIR", (folder / "none").c_str(), 1);
  SteppedStore stepped;
  v1::StartJob job = Job(1, "/nowhere");
  AddFile(job, folder / "file");
  auto& result = stepped.Bring(job);
  stepped.RunAll();
  ::setenv("TMPDIR", before.c_str(), 1);
  REQUIRE(result);
  CHECK(absl::IsNotFound(result->status()));
  CHECK_THAT(std::string(result->status().message()),
             Catch::Matchers::ContainsSubstring("'" + (folder / "none") + "', which TMPDIR names"));
}

TEST_CASE("a full disk fails the job that meets it, with the disk's word, and leaves no half of a copy") {
  SteppedStore stepped(
      [](const v1::FetchProgram&, const std::string&, int to) { return WriteAll(to, std::string(64 << 10, 'x')); });
  const tests::Folder folder;
  std::ofstream(folder / "program") << "a program";
  v1::StartJob job = JobElsewhere(1, folder / "program", DigestOf(folder / "program"));
  AddFile(job, "/nowhere/file", std::string(64, '0'));
  auto& result = stepped.Bring(job);
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{4096, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  stepped.RunAll();
  ::setrlimit(RLIMIT_FSIZE, &before);
  REQUIRE(result);
  REQUIRE_FALSE(result->ok());
  CHECK_THAT(std::string(result->status().message()), ContainsSubstring("its file /nowhere/file"));
  CHECK_THAT(std::string(result->status().message()), ContainsSubstring("File too large"));
  REQUIRE(stepped.scratch.size() == 1);
  stepped.store.Drop(1);
  stepped.RunAll();
  CHECK_FALSE(fs::exists(stepped.scratch[0]));
}

TEST_CASE("PR3: copies that no job uses go, but for the last") {
  const tests::Folder folder;
  ProgramCopies copies;
  std::vector<ProgramCopies::Copy> used;
  for (int build = 0; build < 5; ++build) {
    const std::string text = "build " + std::to_string(build);
    std::ofstream(folder / "program", std::ios::trunc) << text;
    auto copy = copies.Get(DigestOf(folder / "program"), [&](int to) { return WriteAll(to, text); });
    REQUIRE(copy.ok());
    used.push_back(*std::move(copy));
  }
  CHECK(copies.size() == 5);
  used.resize(2);
  copies.DropUnused();
  CHECK(copies.size() == 3);
  used.clear();
  copies.DropUnused();
  CHECK(copies.size() == 1);
}

}  // namespace
}  // namespace twinkle::worker

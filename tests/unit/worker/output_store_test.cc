#include "worker/output_store.h"

#include <string>
#include <vector>

#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::worker {
namespace {

using Catch::Matchers::ContainsSubstring;

v1::Process ProcessOf(uint64_t id, const std::string& group, int rank) {
  v1::Process process;
  process.set_id(id);
  process.set_group(group);
  process.set_rank(rank);
  return process;
}

// What a watcher was told: lines, and "end".
struct Watched {
  OutputStore::Watcher watcher() {
    return [this](const OutputStore::Message& output) {
      if (output == nullptr) {
        told.emplace_back("end");
        return;
      }
      ++messages;
      for (const v1::Output::Line& line : output->lines()) {
        told.push_back(line.group() + ":" + std::to_string(line.rank()) + " " + line.text());
      }
    };
  }
  std::vector<std::string> told;
  int messages = 0;
};

std::vector<OutputLine> LinesOf(const std::vector<std::string>& texts) {
  std::vector<OutputLine> lines;
  for (const std::string& text : texts) lines.push_back({text, false});
  return lines;
}

LogFiles* NoFiles() {
  static LogFiles files({}, nullptr);
  return &files;
}

v1::WatchJob Wish(uint64_t job, int tail = -1, const std::string& group = "", int rank = -1) {
  v1::WatchJob wish;
  wish.set_job(job);
  wish.set_tail(tail);
  wish.set_group(group);
  wish.set_rank(rank);
  return wish;
}

TEST_CASE("a note of the daemon's stands among a process's lines, and is none of them") {
  OutputStore store({}, NoFiles());
  store.AddProcess(1, ProcessOf(10, "policy", 0));
  store.Add(10, 100, false, LinesOf({"one", "two"}));
  store.AddNote(10, 100, "it is stopped");
  Watched watched;
  store.Watch(Wish(1), watched.watcher());
  store.AddNote(10, 100, "it goes on");
  store.AddNote(11, 100, "of nobody");
  CHECK(watched.told == std::vector<std::string>{"policy:0 one", "policy:0 two",
                                                 "policy:0 [twinkle-worker: it is stopped]",
                                                 "policy:0 [twinkle-worker: it goes on]"});
  CHECK(store.LastLines(10, 1) == std::vector<std::string>{"two"});
  CHECK(store.LastLines(10, 5) == std::vector<std::string>{"one", "two"});
}

TEST_CASE("a note has a line of its own in the log file, within a line of which more is to come, too") {
  const tests::Folder folder;
  base::SteppedExecutor executor;
  LogFiles files({.folder = folder.path(), .end_limit = absl::ZeroDuration()}, &executor);
  OutputStore store({}, &files);
  store.AddProcess(1, ProcessOf(10, "policy", 0));
  store.Add(10, 100, false, {{"the beginning", /*continues=*/true}});
  store.AddNote(10, 100, "it is stopped");
  store.Add(10, 100, false, {{" and the end", /*continues=*/false}});
  executor.Drain("log-files");
  CHECK(folder.Read("job-1/policy-0.log") == "the beginning\n[twinkle-worker: it is stopped]\n and the end\n");
}

TEST_CASE("a watcher is told of what was kept, then of what comes, then of the end") {
  OutputStore store({}, NoFiles());
  store.AddProcess(1, ProcessOf(10, "policy", 0));
  store.AddProcess(1, ProcessOf(11, "policy", 1));
  store.AddProcess(2, ProcessOf(20, "policy", 0));
  store.Add(10, 100, false, LinesOf({"one"}));
  store.Add(10, 100, false, LinesOf({"two"}));
  store.Add(20, 200, false, LinesOf({"another job's"}));
  Watched all, last, rank;
  CHECK(store.Watch(Wish(1), all.watcher()) != 0);
  CHECK(store.Watch(Wish(1, 1), last.watcher()) != 0);
  CHECK(store.Watch(Wish(1, -1, "policy", 1), rank.watcher()) != 0);
  CHECK(store.Watch(Wish(3), rank.watcher()) == 0);
  store.Add(11, 101, true, LinesOf({"three"}));
  store.Add(99, 1, false, LinesOf({"nobody's"}));
  store.EndJob(1);
  CHECK(all.told == std::vector<std::string>{"policy:0 one", "policy:0 two", "policy:1 three", "end"});
  CHECK(last.told == std::vector<std::string>{"policy:0 two", "policy:1 three", "end"});
  CHECK(rank.told == std::vector<std::string>{"policy:1 three", "end"});
}

TEST_CASE("who has left is told nothing more") {
  OutputStore store({}, NoFiles());
  store.AddProcess(1, ProcessOf(10, "policy", 0));
  Watched watched;
  const uint64_t id = store.Watch(Wish(1), watched.watcher());
  store.Unwatch(id);
  store.Add(10, 100, false, LinesOf({"one"}));
  CHECK(watched.told.empty());
}

TEST_CASE("the last lines of a process are kept, no more than wanted") {
  OutputStore store({.kept_lines = 3, .unwatched_bytes = 0}, NoFiles());
  store.AddProcess(1, ProcessOf(10, "policy", 0));
  for (int i = 0; i < 5; ++i) store.Add(10, 100, false, LinesOf({std::to_string(i)}));
  CHECK(store.LastLines(10, 2) == std::vector<std::string>{"3", "4"});
  CHECK(store.LastLines(10, 10) == std::vector<std::string>{"2", "3", "4"});
  CHECK(store.LastLines(11, 10).empty());
}

TEST_CASE("what is kept of a process is bounded in bytes, too") {
  OutputStore store({.kept_bytes = 1000, .unwatched_bytes = 0}, NoFiles());
  store.AddProcess(1, ProcessOf(10, "policy", 0));
  for (int i = 0; i < 5; ++i) store.Add(10, 100, false, LinesOf({std::string(300, static_cast<char>('a' + i))}));
  const std::vector<std::string> last = store.LastLines(10, 10);
  REQUIRE(last.size() == 2);
  CHECK(last.back() == std::string(300, 'e'));
  store.Add(10, 100, false, LinesOf({std::string(5000, 'x')}));
  CHECK(store.LastLines(10, 10).size() == 1);
}

TEST_CASE("all that a process prints before its job is watched is kept; then the last lines are") {
  OutputStore store({.kept_lines = 2}, NoFiles());
  store.AddProcess(1, ProcessOf(10, "policy", 0));
  for (int i = 0; i < 5; ++i) store.Add(10, 100, false, LinesOf({std::to_string(i)}));
  Watched some, program, late;
  store.Watch(Wish(1), some.watcher());  // looks once
  CHECK(some.told.size() == 5);
  v1::WatchJob all = Wish(1);
  all.set_follow(true);
  store.Watch(all, program.watcher());
  CHECK(program.told == std::vector<std::string>{"policy:0 0", "policy:0 1", "policy:0 2", "policy:0 3", "policy:0 4"});
  CHECK(store.LastLines(10, 10) == std::vector<std::string>{"3", "4"});
  store.Add(10, 100, false, LinesOf({"5"}));
  CHECK(program.told.back() == "policy:0 5");
  store.Watch(Wish(1), late.watcher());
  REQUIRE(late.told.size() == 3);
  CHECK_THAT(late.told[0], ContainsSubstring("4 lines of this process are missing here"));
  CHECK(late.told[2] == "policy:0 5");
}

TEST_CASE("what a job's processes print before it is watched is bounded in bytes, and what is missing is counted") {
  const size_t line = 64 + 6 + 30;  // with what a line takes besides its text
  OutputStore store({.kept_lines = 1, .unwatched_bytes = 10 * line}, NoFiles());
  store.AddProcess(1, ProcessOf(10, "policy", 0));
  store.AddProcess(1, ProcessOf(11, "policy", 1));
  store.AddProcess(2, ProcessOf(20, "policy", 0));
  for (int i = 0; i < 8; ++i) store.Add(10, 100, false, LinesOf({std::string(30, 'a')}));
  for (int i = 0; i < 8; ++i) store.Add(11, 101, false, LinesOf({std::string(30, 'b')}));
  for (int i = 0; i < 8; ++i) store.Add(20, 200, false, LinesOf({std::string(30, 'c')}));
  v1::WatchJob all = Wish(1);
  all.set_follow(true);
  Watched program, other;
  store.Watch(all, program.watcher());
  REQUIRE(program.told.size() == 8 + 1 + 2);
  CHECK_THAT(program.told[8], ContainsSubstring("policy:1 [twinkle-worker: 6 lines"));
  store.Watch(Wish(2), other.watcher());
  CHECK(other.told.size() == 8);
  store.EndJob(1);
  CHECK(program.told.back() == "end");
}

TEST_CASE("a process that is added while its job is watched keeps its last lines only") {
  OutputStore store({.kept_lines = 2}, NoFiles());
  store.AddProcess(1, ProcessOf(10, "policy", 0));
  v1::WatchJob all = Wish(1);
  all.set_follow(true);
  Watched program;
  store.Watch(all, program.watcher());
  store.AddProcess(1, ProcessOf(11, "policy", 1));
  for (int i = 0; i < 5; ++i) store.Add(11, 101, false, LinesOf({std::to_string(i)}));
  CHECK(program.told.size() == 5);
  CHECK(store.LastLines(11, 10).size() == 2);
}

TEST_CASE("many lines are one message, and a message is bounded in bytes") {
  OutputStore store({.message_bytes = 1000}, NoFiles());
  store.AddProcess(1, ProcessOf(10, "policy", 0));
  Watched watched;
  store.Watch(Wish(1), watched.watcher());
  store.Add(10, 100, false, LinesOf(std::vector<std::string>(100, "x")));
  CHECK(watched.told.size() == 100);
  CHECK(watched.messages > 1);
  CHECK(watched.messages < 10);
  Watched later;
  store.Watch(Wish(1), later.watcher());
  CHECK(later.told.size() == 100);
  CHECK(later.messages == watched.messages);
}

}  // namespace
}  // namespace twinkle::worker

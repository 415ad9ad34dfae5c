#include "worker/output_store.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::worker {
namespace {

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
    return [this](const v1::Output* output) {
      if (output == nullptr) return told.emplace_back("end"), void();
      for (const v1::Output::Line& line : output->lines()) {
        told.push_back(line.group() + ":" + std::to_string(line.rank()) + " " + line.text());
      }
    };
  }
  std::vector<std::string> told;
};

v1::WatchJob Wish(uint64_t job, int tail = -1, const std::string& group = "", int rank = -1) {
  v1::WatchJob wish;
  wish.set_job(job);
  wish.set_tail(tail);
  wish.set_group(group);
  wish.set_rank(rank);
  return wish;
}

TEST_CASE("a watcher is told of what was kept, then of what comes, then of the end") {
  OutputStore store({});
  store.AddProcess(1, ProcessOf(10, "policy", 0));
  store.AddProcess(1, ProcessOf(11, "policy", 1));
  store.AddProcess(2, ProcessOf(20, "policy", 0));
  store.Add(10, 100, false, "one");
  store.Add(10, 100, false, "two");
  store.Add(20, 200, false, "another job's");
  Watched all, last, rank;
  CHECK(store.Watch(Wish(1), all.watcher()) != 0);
  CHECK(store.Watch(Wish(1, 1), last.watcher()) != 0);
  CHECK(store.Watch(Wish(1, -1, "policy", 1), rank.watcher()) != 0);
  CHECK(store.Watch(Wish(3), rank.watcher()) == 0);
  store.Add(11, 101, true, "three");
  store.Add(99, 1, false, "nobody's");
  store.EndJob(1);
  CHECK(all.told == std::vector<std::string>{"policy:0 one", "policy:0 two", "policy:1 three", "end"});
  CHECK(last.told == std::vector<std::string>{"policy:0 two", "policy:1 three", "end"});
  CHECK(rank.told == std::vector<std::string>{"policy:1 three", "end"});
}

TEST_CASE("who has left is told nothing more") {
  OutputStore store({});
  store.AddProcess(1, ProcessOf(10, "policy", 0));
  Watched watched;
  const uint64_t id = store.Watch(Wish(1), watched.watcher());
  store.Unwatch(id);
  store.Add(10, 100, false, "one");
  CHECK(watched.told.empty());
}

TEST_CASE("the last lines of a process are kept, no more than wanted") {
  OutputStore store({.kept_lines = 3});
  store.AddProcess(1, ProcessOf(10, "policy", 0));
  for (int i = 0; i < 5; ++i) store.Add(10, 100, false, std::to_string(i));
  CHECK(store.LastLines(10, 2) == std::vector<std::string>{"3", "4"});
  CHECK(store.LastLines(10, 10) == std::vector<std::string>{"2", "3", "4"});
  CHECK(store.LastLines(11, 10).empty());
}

TEST_CASE("files are written, and turned over when they have grown") {
  std::string folder = (std::filesystem::temp_directory_path() / "twinkle-output-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  OutputStore store({.folder = folder, .file_bytes = 8});
  store.AddProcess(4, ProcessOf(10, "policy", 2));
  for (const char* line : {"first", "second", "third"}) store.Add(10, 100, false, line);
  const auto read = [&](const std::string& name) {
    std::ifstream file(folder + "/job-4/" + name);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  CHECK(read("policy-2.log.1") == "first\nsecond\n");
  CHECK(read("policy-2.log") == "third\n");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace twinkle::worker

#include "worker/cause_of_death.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::worker {
namespace {

TEST_CASE("a cause of death names the exit code, or the signal by number and name") {
  CHECK(CauseOfDeath(3 << 8) == "exited with code 3");
  CHECK(CauseOfDeath(SIGKILL) == "was killed by signal 9 (SIGKILL)");
  CHECK(CauseOfDeath(SIGSEGV | 0x80) == "was killed by signal 11 (SIGSEGV), core dumped");
}

TEST_CASE("an out-of-memory kill is noticed once, and none where the kernel does not count them") {
  const tests::Folder folder;
  const std::string file = folder / "vmstat";
  std::ofstream(file) << "nr_free_pages 100\noom_kill 4\nlast 1\n";
  OomWatch watch(file);
  CHECK_FALSE(watch.Rose());
  std::ofstream(file) << "nr_free_pages 90\noom_kill 5\nlast 1\n";
  CHECK(watch.Rose());
  CHECK_FALSE(watch.Rose());
  std::ofstream(file) << "nr_free_pages 90\n";
  CHECK_FALSE(watch.Rose());
  CHECK_FALSE(OomWatch(folder / "none").Rose());
}

}  // namespace
}  // namespace twinkle::worker

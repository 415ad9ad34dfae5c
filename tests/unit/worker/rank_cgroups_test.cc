// In folders that are no control groups: what is made, left alone and removed.
#include "worker/rank_cgroups.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::worker {
namespace {

namespace fs = std::filesystem;

TEST_CASE("what an earlier spawner has left is removed, and nothing else") {
  const tests::Folder parent;
  fs::create_directories(parent / "twinkle-1/process-3");
  fs::create_directories(parent / "another");
  const RankCgroups groups(parent.path());
  CHECK_FALSE(fs::exists(parent / "twinkle-1"));
  CHECK(fs::exists(parent / "another"));
}

TEST_CASE("the groups of a spawner that lives are left alone by another, and go with their own") {
  const tests::Folder parent;
  RankCgroups living(parent.path());
  const std::string group = living.Make(1);
  REQUIRE(fs::is_directory(group));
  const RankCgroups other(parent.path());
  CHECK(fs::is_directory(group));
  CHECK(fs::is_directory(living.Make(2)));
  living.EndAll();
  CHECK(fs::is_empty(parent.path()));
}

TEST_CASE("the groups of a spawner that was killed go with its parent, those of one that lives do not") {
  const tests::Folder parent;
  const std::string killed = CgroupsOf(parent.path(), 1);
  fs::create_directories(killed + "/process-3");
  EndForsakenCgroups(killed);
  CHECK_FALSE(fs::exists(killed));
  RankCgroups living(parent.path());
  const std::string group = living.Make(1);
  EndForsakenCgroups(CgroupsOf(parent.path(), ::getpid()));
  CHECK(fs::is_directory(group));
  EndForsakenCgroups(CgroupsOf("", 1));  // there are none
}

}  // namespace
}  // namespace twinkle::worker

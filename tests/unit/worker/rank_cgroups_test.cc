// In folders that are no control groups: what is made, left alone and removed.
#include "worker/rank_cgroups.h"

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

}  // namespace
}  // namespace twinkle::worker

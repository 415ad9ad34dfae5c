// In folders that are no control groups: what is made, left alone and removed.
#include "worker/rank_cgroups.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/support/catch.h"

namespace twinkle::worker {
namespace {

namespace fs = std::filesystem;

struct Parent {
  Parent() {
    std::string name = (fs::temp_directory_path() / "twinkle-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
  }
  ~Parent() { fs::remove_all(folder); }

  fs::path folder;
};

TEST_CASE("what an earlier spawner has left is removed, and nothing else") {
  const Parent parent;
  fs::create_directories(parent.folder / "twinkle-1" / "process-3");
  fs::create_directories(parent.folder / "another");
  const RankCgroups groups(parent.folder.string());
  CHECK_FALSE(fs::exists(parent.folder / "twinkle-1"));
  CHECK(fs::exists(parent.folder / "another"));
}

TEST_CASE("the groups of a spawner that lives are left alone by another, and go with their own") {
  const Parent parent;
  RankCgroups living(parent.folder.string());
  const std::string group = living.Make(1);
  REQUIRE(fs::is_directory(group));
  const RankCgroups other(parent.folder.string());
  CHECK(fs::is_directory(group));
  CHECK(fs::is_directory(living.Make(2)));
  living.EndAll();
  CHECK(fs::is_empty(parent.folder));
}

}  // namespace
}  // namespace twinkle::worker

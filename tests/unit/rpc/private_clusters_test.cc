#include "runtime/rpc/private_clusters.h"

#include <absl/strings/match.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::rpc {
namespace {

struct Folder : tests::Folder {
  size_t files() const {
    if (!std::filesystem::exists(path)) return 0;
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path)) count += entry.exists() ? 1 : 0;
    return count;
  }
  const std::string path = *this / "private";
};

TEST_CASE("private clusters that live are found, by their programs' numbers") {
  const Folder folder;
  CHECK(PrivateClusters(folder.path).empty());
  {
    const auto second = PrivateClusterRecord::Write(folder.path, {20, "unix-abstract:b", "secret-b"});
    const auto first = PrivateClusterRecord::Write(folder.path, {10, "unix-abstract:a", "secret-a"});
    REQUIRE(first.ok());
    REQUIRE(second.ok());
    const auto all = PrivateClusters(folder.path);
    REQUIRE(all.size() == 2);
    CHECK(all[0].program == 10);
    CHECK(all[0].target == "unix-abstract:a");
    CHECK(all[1].token == "secret-b");
  }
  CHECK(PrivateClusters(folder.path).empty());
  CHECK_FALSE(std::filesystem::exists(folder.path));  // the last has removed it
}

TEST_CASE("the record of a driver that was killed is removed by who looks") {
  const Folder folder;
  auto record = PrivateClusterRecord::Write(folder.path, {10, "unix-abstract:a", "secret"});
  REQUIRE(record.ok());
  const std::string file = folder.path + "/10", copy = folder.path + "/11";
  std::filesystem::copy_file(file, copy);  // not locked: as if its driver were gone
  CHECK(PrivateClusters(folder.path).size() == 1);
  CHECK(folder.files() == 1);
}

TEST_CASE("the record of a driver that was killed is removed by its program or its node daemon, no other is") {
  const Folder folder;
  RemovePrivateCluster(folder.path, 10);  // there is none
  {
    auto record = PrivateClusterRecord::Write(folder.path, {10, "unix-abstract:a", "secret"});
    REQUIRE(record.ok());
    std::filesystem::copy_file(folder.path + "/10", folder.path + "/11");  // not locked: as if its driver were gone
    RemovePrivateCluster(folder.path, 10);
    CHECK(folder.files() == 2);
    RemovePrivateCluster(folder.path, 11);
    CHECK(PrivateClusters(folder.path).size() == 1);
    CHECK(folder.files() == 1);
    std::filesystem::copy_file(folder.path + "/10", folder.path + "/11");
  }
  CHECK(folder.files() == 1);
  RemovePrivateCluster(folder.path, 11);
  CHECK_FALSE(std::filesystem::exists(folder.path));
}

TEST_CASE("a folder that others can look into is not used") {
  const Folder folder;
  std::filesystem::create_directory(folder.path);
  REQUIRE(::chmod(folder.path.c_str(), 0755) == 0);
  CHECK(absl::IsPermissionDenied(PrivateClusterRecord::Write(folder.path, {10, "unix-abstract:a", "s"}).status()));
  CHECK(PrivateClusters(folder.path).empty());
  const absl::Status told = CheckPrivateClusters(folder.path);
  CHECK(absl::IsPermissionDenied(told));
  CHECK(absl::StrContains(told.message(), folder.path));
}

TEST_CASE("a folder and its records can be read by their user, whatever the umask, and whatever it was before") {
  const Folder folder;
  CHECK(CheckPrivateClusters(folder.path).ok());
  for (const bool is_there : {false, true}) {
    if (is_there) std::filesystem::create_directory(folder.path);
    if (is_there) REQUIRE(::chmod(folder.path.c_str(), 0) == 0);
    const mode_t before = ::umask(0777);
    const auto record = PrivateClusterRecord::Write(folder.path, {10, "unix-abstract:a", "s"});
    ::umask(before);
    REQUIRE(record.ok());
    for (const auto& [path, mode] :
         {std::pair(folder.path, mode_t{0700}), std::pair(folder.path + "/10", mode_t{0600})}) {
      struct stat facts {};
      REQUIRE(::stat(path.c_str(), &facts) == 0);
      CHECK((facts.st_mode & 0777) == mode);
    }
    CHECK(CheckPrivateClusters(folder.path).ok());
  }
}

}  // namespace
}  // namespace twinkle::rpc

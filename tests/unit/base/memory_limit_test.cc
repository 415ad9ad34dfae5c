#include "runtime/base/memory_limit.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "runtime/base/memory.h"
#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

constexpr uint64_t kNone = UINT64_MAX;

// A tree of control groups, and the file that says where in it a process is.
class Groups {
 public:
  Groups() { std::filesystem::create_directories(root_); }
  ~Groups() { std::filesystem::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << "\n";
  }
  uint64_t Limit(const std::string& self) {
    Write("self", self);
    return MemoryLimit(root_ / "self", root_ / "mount");
  }

 private:
  const std::filesystem::path root_ =
      std::filesystem::temp_directory_path() / ("memory_limit_test." + std::to_string(::getpid()));
};

TEST_CASE("without a limit, and without control groups, there is none") {
  Groups groups;
  CHECK(groups.Limit("") == kNone);
  CHECK(groups.Limit("0::/") == kNone);
  groups.Write("mount/a/memory.max", "max");
  CHECK(groups.Limit("0::/a") == kNone);
  CHECK(groups.Limit("nothing that makes sense") == kNone);
  CHECK(groups.Limit("0::a/../b") == kNone);
}

TEST_CASE("version 2: the least of a group and of all above it counts") {
  Groups groups;
  groups.Write("mount/a/memory.max", "1000");
  groups.Write("mount/a/b/memory.max", "max");
  groups.Write("mount/a/b/c/memory.max", "3000");
  CHECK(groups.Limit("0::/a/b/c") == 1000);
  CHECK(groups.Limit("0::/a/b") == 1000);
  CHECK(groups.Limit("0::/") == kNone);
  groups.Write("mount/a/b/c/memory.max", "500");
  CHECK(groups.Limit("0::/a/b/c") == 500);
  CHECK(groups.Limit("0::/a/b") == 1000);
}

TEST_CASE("version 1: the hierarchy of the memory controller") {
  Groups groups;
  groups.Write("mount/memory/memory.limit_in_bytes", "9223372036854771712");
  groups.Write("mount/memory/x/memory.limit_in_bytes", "700");
  groups.Write("mount/memory/x/y/memory.limit_in_bytes", "800");
  CHECK(groups.Limit("12:pids:/x\n7:cpu,memory:/x/y\n0::/") == 700);
  CHECK(groups.Limit("7:cpu,memory:/z") == 9223372036854771712u);
  CHECK(groups.Limit("12:pids:/x") == 9223372036854771712u);
}

TEST_CASE("in a container its own group is the root, whatever the path says") {
  Groups groups;
  groups.Write("mount/memory.max", "4000");
  CHECK(groups.Limit("0::/somewhere/else") == 4000);
}

TEST_CASE("this machine has memory, and no more than that is given out") {
  CHECK(MachineMemory() > (1 << 20));
  CHECK(NewMemory(size_t{1} << 45, false) == nullptr);
  CHECK(NewHeapMemory(size_t{1} << 45, true) == nullptr);
  CHECK(NewMemory(1 << 20, true) != nullptr);
}

}  // namespace
}  // namespace twinkle::base

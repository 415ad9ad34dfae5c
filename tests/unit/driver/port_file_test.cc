#include "driver/port_file.h"

#include <absl/strings/match.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <iterator>
#include <string>

#include "runtime/base/fd.h"
#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::driver {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::ContainsSubstring;

size_t FilesIn(const tests::Folder& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
}

// One end of a pipe without a name; the other keeps it open. What is written to it ends a wait.
struct PipeEnd {
  PipeEnd() { REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0); }
  ~PipeEnd() {
    for (const int end : ends) ::close(end);
  }
  int fd() const { return ends[0]; }
  std::array<int, 2> ends{};
};

TEST_CASE("a port file is made, or replaced, whole, and nothing is left beside it") {
  const tests::Folder folder;
  const PipeEnd end;
  REQUIRE(WritePort(folder / "port", 70, end.fd()).ok());
  CHECK(folder.Read("port") == "70\n");
  const base::Fd before(::open((folder / "port").c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(WritePort(folder / "port", 7, end.fd()).ok());
  CHECK(folder.Read("port") == "7\n");
  std::array<char, 8> bytes{};
  CHECK(::read(before.get(), bytes.data(), bytes.size()) == 3);  // who has the old one open reads that
  CHECK(FilesIn(folder) == 1);
}

TEST_CASE("a port file that is a link stays one, whether it leads to something or not") {
  const tests::Folder folder;
  const PipeEnd end;
  fs::create_directory(folder / "there");
  fs::create_symlink("there/port", folder / "link");
  for (const int port : {71, 72}) {
    REQUIRE(WritePort(folder / "link", port, end.fd()).ok());
    CHECK(folder.Read("there/port") == std::to_string(port) + "\n");
    CHECK(fs::is_symlink(folder / "link"));
  }
  CHECK(FilesIn(folder) == 2);
}

TEST_CASE("a port file that is a pipe is written to, once somebody reads, or the driver ends") {
  const tests::Folder folder;
  const PipeEnd end;
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  {
    const base::Fd reader(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    REQUIRE(WritePort(pipe, 7077, end.fd()).ok());
    std::array<char, 8> bytes{};
    CHECK(::read(reader.get(), bytes.data(), bytes.size()) == 5);
  }
  REQUIRE(::write(end.ends[1], "x", 1) == 1);
  CHECK(WritePort(pipe, 7077, end.fd()).ok());
  CHECK(fs::is_fifo(pipe));
  CHECK(FilesIn(folder) == 1);
}

TEST_CASE("a port file that takes nothing is told with the reason, and stays what it is") {
  const tests::Folder folder;
  const PipeEnd end;
  CHECK(WritePort("/dev/null", 7077, end.fd()).ok());
  CHECK(fs::is_character_file("/dev/null"));
  if (::access("/dev/full", W_OK) == 0) {
    CHECK_THAT(std::string(WritePort("/dev/full", 7077, end.fd()).message()), ContainsSubstring("No space left"));
    CHECK(fs::is_character_file("/dev/full"));
  }
  fs::create_directory(folder / "folder");
  const absl::Status refused = WritePort(folder / "folder", 7077, end.fd());
  CHECK_THAT(std::string(refused.message()),
             ContainsSubstring(folder / "folder") && ContainsSubstring("Is a directory"));
  CHECK(absl::StrContains(WritePort(folder / "no/port", 7077, end.fd()).message(), "No such file"));
  CHECK(FilesIn(folder) == 1);
}

}  // namespace
}  // namespace twinkle::driver

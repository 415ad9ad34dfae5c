#include "runtime/base/open_regular.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::base {
namespace {

TEST_CASE("a regular file is opened, for reading or for its path alone, and nothing inherits it") {
  const tests::Folder folder;
  const std::string path = folder / "file";
  std::ofstream(path) << "x";
  for (const int how : {O_RDONLY, O_PATH}) {
    const OpenedFile file = OpenRegular(path, how);
    REQUIRE(file.fd.valid());
    CHECK((::fcntl(file.fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
    char byte = 0;
    CHECK((::read(file.fd.get(), &byte, 1) == 1) == (how == O_RDONLY));
  }
}

TEST_CASE("what is no regular file is told of as that, a FIFO that nobody writes to without waiting") {
  const tests::Folder folder;
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const int how : {O_RDONLY, O_PATH}) {
    for (const std::string& path : {pipe, std::string(folder.path()), std::string("/dev/null")}) {
      const OpenedFile file = OpenRegular(path, how);
      CHECK(!file.fd.valid());
      CHECK(file.error == 0);
    }
  }
}

TEST_CASE("what the kernel says of one that cannot be opened is handed on") {
  const OpenedFile file = OpenRegular("/nowhere/file", O_RDONLY);
  CHECK(!file.fd.valid());
  CHECK(file.error == ENOENT);
}

}  // namespace
}  // namespace twinkle::base

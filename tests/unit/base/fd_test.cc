#include "runtime/base/fd.h"

#include <fcntl.h>

#include <utility>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

Fd OpenNull() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST_CASE("a descriptor is closed with its owner, and with what takes its place") {
  int first = -1;
  int second = -1;
  {
    Fd owner = OpenNull();
    REQUIRE(owner.valid());
    first = owner.get();
    Fd other = OpenNull();
    second = other.get();
    owner = std::move(other);
    CHECK(owner.get() == second);
    CHECK_FALSE(IsOpen(first));
    CHECK(IsOpen(second));
  }
  CHECK_FALSE(IsOpen(second));
}

TEST_CASE("a descriptor has one owner: who gave it away closes nothing") {
  Fd from = OpenNull();
  const int fd = from.get();
  Fd to(std::move(from));
  from.Reset();
  CHECK(IsOpen(fd));
  Fd& same = to;
  to = std::move(same);
  CHECK(to.get() == fd);
  CHECK(IsOpen(fd));
  const Fd again(to.Release());
  CHECK_FALSE(to.valid());
  to.Reset();
  CHECK(IsOpen(fd));
}

}  // namespace
}  // namespace twinkle::base

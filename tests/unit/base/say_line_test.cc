#include "runtime/base/say_line.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;

struct Pipe {
  Pipe() { REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0); }
  ~Pipe() {
    for (const int end : ends) ::close(end);
  }
  // What is in it, which may not be nothing.
  std::string Read() const {
    std::string text(1 << 20, '\0');
    text.resize(static_cast<size_t>(::read(ends[0], text.data(), text.size())));
    return text;
  }
  int in() const { return ends[1]; }

  std::array<int, 2> ends{};
};

TEST_CASE("a line is written with its end, and cut where a pipe would not take it at once") {
  const Pipe pipe;
  SayLine(pipe.in(), "here I am");
  CHECK(pipe.Read() == "here I am\n");
  SayLine(pipe.in(), std::string(1 << 20, 'x'));
  const std::string cut = pipe.Read();
  CHECK(cut.size() <= PIPE_BUF);
  CHECK_THAT(cut, EndsWith("bytes left out\n"));
}

TEST_CASE("a pipe that nobody reads holds up nobody, and is written to again once there is room") {
  const Pipe pipe;
  for (int i = 0; i < 10000; ++i) SayLine(pipe.in(), "what nobody reads, said again and again");  // a pipe has 64 KiB
  CHECK_THAT(pipe.Read(), ContainsSubstring("what nobody reads"));
  SayLine(pipe.in(), "once more");
  CHECK_THAT(pipe.Read(), EndsWith("once more\n"));
}

TEST_CASE("a terminal that nobody reads holds up nobody, though it has room for a byte") {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) return;  // there are none here
  const int opened = ::open(::ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  const int terminal = ::fcntl(opened, F_DUPFD_CLOEXEC, 500);  // a number that no other case gets
  ::close(opened);
  REQUIRE(terminal >= 0);
  for (int i = 0; i < 2000; ++i) SayLine(terminal, "what nobody reads, said again and again");
  ::close(terminal);
  ::close(master);
}

TEST_CASE("how many lines were left out is said once, where there is room again") {
  const Pipe pipe;
  int taken = 0;
  for (pollfd out{pipe.in(), POLLOUT, 0}; ::poll(&out, 1, 0) == 1; ++taken) SayLine(pipe.in(), "a line");
  for (int i = 0; i < 3; ++i) SayLine(pipe.in(), "for which there is no room");
  const std::string first = pipe.Read();
  CHECK(std::count(first.begin(), first.end(), '\n') == taken);
  for (int i = 0; i < 2; ++i) SayLine(pipe.in(), "there is room");
  CHECK(pipe.Read() == "twinkle: 3 lines were left out here, since nobody read them\nthere is room\nthere is room\n");
}

TEST_CASE("a line for nobody ends no process") {
  Pipe pipe;
  ::close(std::exchange(pipe.ends[0], -1));
  SayLine(pipe.in(), "is somebody there?");
}

}  // namespace
}  // namespace twinkle::base

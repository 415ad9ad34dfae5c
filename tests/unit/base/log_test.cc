#include "runtime/base/log.h"

#include <absl/strings/match.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

// In a process of its own, whose stderr is a pipe with this end.
pid_t LogInto(int pipe) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::dup2(pipe, STDERR_FILENO);
  ::setenv("TWINKLE_LOG", "loud", 1);
  Log(LogLevel::kError, "of a rank: \x1b[31m");
  for (int i = 0; i < 5000; ++i) Log(LogLevel::kWarning, absl::StrCat("line ", i, " of a warning\nof two lines"));
  ::_exit(0);
}

TEST_CASE("a stderr that nobody reads holds up nobody who logs") {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const pid_t pid = LogInto(pipe[1]);
  REQUIRE(pid > 0);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);  // for ever, where it is held up
  CHECK(status == 0);
  std::string text(1 << 20, '\0');
  text.resize(static_cast<size_t>(::read(pipe[0], text.data(), text.size())));
  CHECK(absl::StrContains(text, "warning twinkle: line 0 of a warning\n  of two lines\n"));
  CHECK(absl::StrContains(text, "TWINKLE_LOG is debug, info, warning or error, not 'loud'"));
  CHECK(absl::StrContains(text, "of a rank: \\x1b[31m\n"));
  for (const int end : pipe) ::close(end);
}

}  // namespace
}  // namespace twinkle::base

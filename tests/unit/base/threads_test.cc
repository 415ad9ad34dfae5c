#include "runtime/base/threads.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

// What TryThreads says in a process of a user of its own that may have so many processes and threads.
absl::StatusCode TriedUnder(rlim_t most) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{most, most};
    // No process of this machine has that user: only this child counts.
    const bool bound = ::setrlimit(RLIMIT_NPROC, &limit) == 0 && ::setuid(54321) == 0;
    ::_exit(bound ? static_cast<int>(TryThreads(1).code()) : 99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return static_cast<absl::StatusCode>(WEXITSTATUS(status));
}

TEST_CASE("threads that a process will need are tried where few are left") {
  CHECK(TryThreads(1).ok());
  if (::geteuid() != 0) return;  // only root becomes another user
  CHECK(TriedUnder(200) == absl::StatusCode::kOk);
  CHECK(TriedUnder(5) == absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace twinkle::base

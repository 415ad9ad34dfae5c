#include "runtime/base/end_signals.h"

#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

// How a child ends that does this, as waitpid tells it.
template <typename Work>
int StatusAfter(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

// By the signal; the thread sanitizer calls handlers with all signals blocked, and there it ends by its exit.
bool EndedBy(int signal, int status) {
#ifdef __SANITIZE_THREAD__
  if (WIFEXITED(status)) return WEXITSTATUS(status) == 128 + signal;
#endif
  return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

void EndIn(int signal) {
  BlockEndSignals();
  const EndSignalsEnd guard;
  ::raise(signal);
}

TEST_CASE("an end signal ends the process while the guard lives, one that had come before it, too") {
  for (const int signal : {SIGINT, SIGTERM}) {
    const int during = StatusAfter([=] { EndIn(signal); });
    CHECK(EndedBy(signal, during));
    const int before = StatusAfter([=] {
      BlockEndSignals();
      ::raise(signal);
      const EndSignalsEnd guard;
    });
    CHECK(EndedBy(signal, before));
  }
}

TEST_CASE("it ends the init of a PID namespace") {
  constexpr int kNoNamespace = 77;
  const int status = StatusAfter([] {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0 && ::unshare(CLONE_NEWPID) != 0) ::_exit(kNoNamespace);
    const pid_t init = ::fork();
    if (init == 0) {
      EndIn(SIGTERM);
      ::_exit(0);
    }
    int ended = 0;
    ::waitpid(init, &ended, 0);
    ::_exit(WIFEXITED(ended) ? WEXITSTATUS(ended) : 1);
  });
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNoNamespace) {
    WARN("skipped: no PID namespace can be made here");
    return;
  }
  CHECK(WEXITSTATUS(status) == 128 + SIGTERM);
}

TEST_CASE("after the guard an end signal can be read, and has the action it had") {
  const int status = StatusAfter([] {
    BlockEndSignals();
    ::signal(SIGTERM, SIG_DFL);
    { const EndSignalsEnd guard; }
    if (::signal(SIGTERM, SIG_DFL) != SIG_DFL) ::_exit(1);
    ::raise(SIGTERM);
    pollfd end{EndSignalFd(), POLLIN, 0};
    if (::poll(&end, 1, 0) != 1) ::_exit(2);
  });
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

}  // namespace
}  // namespace twinkle::base

#include "worker/own_children.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/support/catch.h"

namespace twinkle::worker {
namespace {

// In a process of its own: has one child that would stay for ever. Exits with 0 if it finds that child, and no other,
// and ends it.
[[noreturn]] void EndOneChild() {
  const pid_t child = ::fork();
  if (child == 0) {
    while (true) ::pause();
  }
  if (OwnChildren() != std::vector<pid_t>{child}) ::_exit(1);
  ::alarm(20);
  EndOwnChildren(10'000);
  ::_exit(::waitpid(-1, nullptr, WNOHANG) == -1 && OwnChildren().empty() ? 0 : 2);
}

int StatusOf(pid_t process) {
  int status = 0;
  ::waitpid(process, &status, 0);
  return status;
}

TEST_CASE("a process finds its children, and ends them") {
  const pid_t process = ::fork();
  if (process == 0) EndOneChild();
  CHECK(StatusOf(process) == 0);
}

TEST_CASE("a process finds its children where /proc is of a PID namespace around its own") {
  constexpr int kMayNot = 77;
  const pid_t outer = ::fork();
  if (outer == 0) {
    if (::unshare(CLONE_NEWPID) != 0) ::_exit(kMayNot);
    const pid_t inner = ::fork();
    if (inner == 0) EndOneChild();
    ::_exit(WEXITSTATUS(StatusOf(inner)));
  }
  const int status = StatusOf(outer);
  if (WEXITSTATUS(status) == kMayNot) {
    WARN("skipped: a PID namespace can be made by root only");
    return;
  }
  CHECK(status == 0);
}

}  // namespace
}  // namespace twinkle::worker

#include "client/src/service_keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "runtime/base/fd.h"
#include "runtime/base/poll_limit.h"
#include "runtime/base/threads.h"

namespace twinkle::internal {
namespace {

// The first word of a keeper.
struct Report {
  int failed = EIO;  // what it is when the keeper was killed
  pid_t child = 0;
};

// In the copy, which has one thread and locks that nobody will open: what is called here takes none. All signals are
// blocked. What the program had open is the program's alone.
[[noreturn]] void Keep(const Launch& launch, int report) {
  ::setsid();
  ::prctl(PR_SET_NAME, "twinkle-keeper");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  Report told;
  told.failed = ::posix_spawn(&told.child, launch.path, launch.files, launch.attributes, launch.arguments, environ);
  (void)!::write(report, &told, sizeof(told));
  ::syscall(SYS_close_range, 0, ~0U, 0);
  (void)!::chdir("/");
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  ::_exit(0);
}

}  // namespace

bool TakesInOrphans() {
  int subreaper = 0;
  ::prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
  return subreaper != 0 || ::getpid() == 1;
}

int LaunchKept(const Launch& launch, pid_t* keeper, pid_t* child) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
  const base::Fd read_end(ends[0]);
  base::Fd write_end(ends[1]);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const long pid = ::syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr);  // a fork whose end sends no signal
  if (pid == 0) Keep(launch, write_end.get());
  const int no_copy = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return no_copy;
  write_end.Reset();
  Report told;
  while (::read(read_end.get(), &told, sizeof(told)) < 0 && errno == EINTR) {
  }
  if (told.failed == 0) {
    *keeper = static_cast<pid_t>(pid);
    *child = told.child;
  } else {
    ::waitpid(static_cast<pid_t>(pid), nullptr, __WCLONE);  // it has nothing to keep
  }
  return told.failed;
}

void AwaitChild(pid_t child, base::Instant deadline) {
  // A program that has waited for its child itself has given the number back: it may be a stranger's by now.
  if (::waitpid(child, nullptr, WNOHANG | __WALL) != 0) return;
  const base::Fd ended(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  pollfd end{ended.get(), POLLIN, 0};
  while (ended.valid() && base::Now() < deadline) {
    if (::poll(&end, 1, base::PollLimit(deadline)) == 1) break;
  }
  if (::waitpid(child, nullptr, WNOHANG | __WALL) != 0) return;
  auto waits = base::StartThread("twinkle-reaper", [child] {
    while (::waitpid(child, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  });
  if (waits.ok()) waits->detach();
}

}  // namespace twinkle::internal

#include "client/src/service_keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "runtime/base/poll_limit.h"
#include "runtime/base/threads.h"
#include "runtime/rpc/fd_channel.h"

namespace twinkle::internal {
namespace {

// In the copy, which has one thread and locks that nobody will open: what is called here takes none. All signals are
// blocked. What the program had open is the program's alone.
[[noreturn]] void Keep(const Launch& launch, int report) {
  ::setsid();
  ::prctl(PR_SET_NAME, "twinkle-keeper");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_t service = 0;
  const int failed = ::posix_spawn(&service, launch.path, launch.files, launch.attributes, launch.arguments, environ);
  (void)!::write(report, &failed, sizeof(failed));
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

int LaunchKept(const Launch& launch, pid_t* keeper) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
  const rpc::Fd read_end(ends[0]);
  rpc::Fd write_end(ends[1]);
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
  int failed = EIO;  // of a keeper that was killed
  ssize_t got = 0;
  while ((got = ::read(read_end.get(), &failed, sizeof(failed))) < 0 && errno == EINTR) {
  }
  if (failed == 0) {
    *keeper = static_cast<pid_t>(pid);
  } else {
    ::waitpid(static_cast<pid_t>(pid), nullptr, __WCLONE);  // it has nothing to keep
  }
  return failed;
}

void AwaitKeeper(pid_t keeper, base::Instant deadline) {
  const rpc::Fd ended(static_cast<int>(::syscall(SYS_pidfd_open, keeper, 0)));
  pollfd end{ended.get(), POLLIN, 0};
  while (ended.valid() && base::Now() < deadline) {
    if (::poll(&end, 1, base::PollLimit(deadline)) == 1) break;
  }
  if (::waitpid(keeper, nullptr, WNOHANG | __WCLONE) != 0) return;
  auto waits = base::StartThread("twinkle-keeper", [keeper] {
    while (::waitpid(keeper, nullptr, __WCLONE) < 0 && errno == EINTR) {
    }
  });
  if (waits.ok()) waits->detach();
}

}  // namespace twinkle::internal

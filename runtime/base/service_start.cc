#include "runtime/base/service_start.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "runtime/base/end_signals.h"

namespace twinkle::base {
namespace {

constexpr rlim_t kMostFiles = 1 << 20;  // if the hard limit is infinite

void OpenStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // A new descriptor gets the lowest number that is free.
    if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
  }
}

rlimit RaiseOpenFiles() {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit raised = before;
  raised.rlim_cur = std::max(before.rlim_cur, std::min(before.rlim_max, kMostFiles));
  ::setrlimit(RLIMIT_NOFILE, &raised);
  return before;
}

}  // namespace

rlimit BeginService() {
  OpenStandardDescriptors();
  ::signal(SIGCHLD, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  BlockEndSignals();
  return RaiseOpenFiles();
}

}  // namespace twinkle::base

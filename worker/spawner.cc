#include "worker/spawner.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <system_error>
#include <utility>

#include "worker/rank_cgroups.h"
#include "worker/spawner_loop.h"

namespace twinkle::worker {
namespace {

constexpr int kFirstOwn = 3;  // the first descriptor after the standard ones

// Sets the signals as the spawner and its wardens need them, whatever the daemon was started with.
void SetSignals() {
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::signal(number, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &child, nullptr);
}

}  // namespace

absl::StatusOr<Spawner> StartSpawner(const SpawnerOptions& options) {
  auto sockets = rpc::SocketPair();
  if (!sockets.ok()) return sockets.status();
  const pid_t pid = ::fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "the spawner could not be started");
  if (pid > 0) return Spawner{pid, std::move(sockets->first), CgroupsOf(options.cgroup, pid)};
  ::setsid();  // a terminal's signals go to the daemon only
  ::prctl(PR_SET_NAME, "twinkle-spawner");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  SetSignals();
  sockets->first.Reset();
  const int socket = sockets->second.Release();
  // None of the daemon's descriptors stays open.
  if (socket > kFirstOwn) ::syscall(SYS_close_range, kFirstOwn, socket - 1, 0);
  ::syscall(SYS_close_range, socket + 1, ~0U, 0);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
  SpawnerLoop(socket, options).Run();
  ::_exit(0);
}

void RemoveScratch(const std::set<std::string>& folders) {
  for (const std::string& folder : folders) {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
}

}  // namespace twinkle::worker

#include "runtime/base/threads.h"

#include <absl/synchronization/notification.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#include "runtime/base/cgroups.h"
#include "runtime/base/executor.h"

namespace twinkle::base {
namespace {

// A number of threads that is enough for everything that starts beside this process.
constexpr uint64_t kPlenty = 4096;

// The number of further processes and threads that the control groups allow.
uint64_t LeftInCgroups() {
  uint64_t left = UINT64_MAX;
  for (const PidsLimit& limit : PidsLimits()) left = std::min(left, limit.most - std::min(limit.most, limit.in_use));
  return left;
}

bool NoLimitIsNear() {
  rlimit processes{};
  rlimit memory{};
  ::getrlimit(RLIMIT_NPROC, &processes);
  ::getrlimit(RLIMIT_AS, &memory);
  return processes.rlim_cur >= kPlenty && memory.rlim_cur == RLIM_INFINITY && LeftInCgroups() >= kPlenty;
}

}  // namespace

absl::StatusOr<std::thread> StartThread(const char* name, std::function<void()> main) {
  try {
    return std::thread([name, main = std::move(main)] {
      pthread_setname_np(pthread_self(), name);
      main();
    });
  } catch (const std::system_error&) {
    return NoThread();
  }
}

absl::Status TryThreads(int processes) {
  if (NoLimitIsNear()) return absl::OkStatus();
  constexpr unsigned int kOwn = 16;  // lanes, polls, timers, acceptors: ours, and gRPC's beside its pool
  const unsigned int pool = std::clamp(std::thread::hardware_concurrency(), 2U, 32U);  // gRPC's
  const size_t wanted = static_cast<size_t>(processes) * (pool + kOwn);
  absl::Notification all_there;
  std::vector<std::thread> threads;
  absl::Status status;
  while (threads.size() < wanted && status.ok()) {
    absl::StatusOr<std::thread> thread = StartThread("twinkle-try", [&] { all_there.WaitForNotification(); });
    status = thread.status();
    if (thread.ok()) threads.push_back(*std::move(thread));
  }
  all_there.Notify();
  for (std::thread& thread : threads) thread.join();
  return status;
}

}  // namespace twinkle::base

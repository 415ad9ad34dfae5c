#include "runtime/base/forked.h"

#include <pthread.h>

#include <atomic>

namespace twinkle::base {
namespace {

std::atomic<bool> forked = false;  // set by the child only, before anything else runs there

}  // namespace

void WatchForks() {
  [[maybe_unused]] static const int watched =
      ::pthread_atfork(nullptr, nullptr, [] { forked.store(true, std::memory_order_relaxed); });
}

bool InForkedChild() { return forked.load(std::memory_order_relaxed); }

absl::Status ForkedChildStatus() {
  return absl::FailedPreconditionError(
      "this process was forked from one that has called twinkle::Initialize, and the session stayed there: fork before "
      "Initialize, or start a program (exec)");
}

}  // namespace twinkle::base

// SpareDescriptor: a descriptor that is kept for the moment when the process has no other left.
#pragma once

#include <absl/status/status.h>
#include <fcntl.h>

#include "runtime/base/fd.h"
#include "runtime/base/mutex.h"

namespace twinkle::memory {

// Lends a descriptor to work that needs one for a moment only. Thread-safe: one borrower at a time has it.
class SpareDescriptor {
 public:
  SpareDescriptor() { Refill(); }

  // Calls f(), which returns a StatusOr, and returns its result. If that is ResourceExhausted, f is called once more
  // with a descriptor free. f must have closed its own descriptors when it returns. The second call runs under a lock,
  // so f must not call Lend.
  template <class F>
  auto Lend(F&& f) -> decltype(f()) {
    auto answer = f();
    if (!absl::IsResourceExhausted(answer.status())) return answer;
    base::MutexLock lock(&mutex_);
    spare_.Reset();
    answer = f();
    Refill();
    return answer;
  }

 private:
  void Refill() { spare_ = base::Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

  base::Mutex mutex_;
  base::Fd spare_;
};

}  // namespace twinkle::memory

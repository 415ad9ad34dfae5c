// A descriptor that is kept for the moment when the process has no other left.
#pragma once

#include <absl/status/status.h>
#include <fcntl.h>

#include "runtime/base/fd.h"
#include "runtime/base/mutex.h"

namespace twinkle::memory {

// What needs a descriptor for a moment only gets on with it where there is no other. Thread-safe: one borrower at a
// time has it.
class SpareDescriptor {
 public:
  SpareDescriptor() { Refill(); }

  // What f() gives, a StatusOr. When that is ResourceExhausted, f is called once more, with a descriptor to be had: f
  // must have closed its own when it returns. The second call is made under a lock, so f does not come back here.
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

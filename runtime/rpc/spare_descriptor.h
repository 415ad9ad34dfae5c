// A descriptor that is kept for the moment when the process has no other left.
#pragma once

#include <absl/status/status.h>
#include <fcntl.h>

#include "runtime/base/fd.h"
#include "runtime/base/mutex.h"

namespace twinkle::rpc {

// Lets what needs a descriptor for a moment only get on where there is none. Thread-safe.
class SpareDescriptor {
 public:
  SpareDescriptor() { Refill(); }

  // f() is a StatusOr. When that is ResourceExhausted, f is called once more, with a descriptor to be had: f must have
  // closed its own when it returns.
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

}  // namespace twinkle::rpc

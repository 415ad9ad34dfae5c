#include "runtime/base/fd.h"

#include <unistd.h>

namespace twinkle::base {

Fd& Fd::operator=(Fd&& other) noexcept {
  const int taken = other.Release();  // first, because `other` may be this object
  Reset();
  fd_ = taken;
  return *this;
}

void Fd::Reset() {
  if (fd_ >= 0) ::close(Release());
}

}  // namespace twinkle::base

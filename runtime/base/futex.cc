#include "runtime/base/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

#include "runtime/base/clock.h"

namespace twinkle::base {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t) && std::atomic<uint32_t>::is_always_lock_free);

void FutexWait(const std::atomic<uint32_t>& word, uint32_t seen, uint32_t bits, Instant deadline) {
  const timespec until = deadline.ToTimespec();
  ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, seen, deadline == kForever ? nullptr : &until, nullptr, bits);
}

void FutexWake(const std::atomic<uint32_t>& word, uint32_t bits, int most) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, most, nullptr, nullptr, bits);
}

}  // namespace twinkle::base

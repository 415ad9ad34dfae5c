#include "runtime/rpc/near/doorbell.h"

#include <limits>

#include "runtime/base/clock.h"
#include "runtime/base/futex.h"
#include "runtime/base/status.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kPageBytes = 4096;

}  // namespace

absl::StatusOr<Doorbell> Doorbell::Make() {
  static_assert(sizeof(Page) <= kPageBytes && std::atomic<uint64_t>::is_always_lock_free);
  TWINKLE_ASSIGN_OR_RETURN(memory::MemoryFile file,
                           memory::MemoryFile::Make("twinkle.bell", kPageBytes, memory::MemoryFile::Others::kWrite));
  return Doorbell(std::move(file));
}

absl::StatusOr<Doorbell> Doorbell::Open(int pid, int fd, uint64_t inode) {
  TWINKLE_ASSIGN_OR_RETURN(memory::MemoryFile file,
                           memory::MemoryFile::Open(pid, fd, inode, kPageBytes, memory::MemoryFile::Others::kWrite));
  return Doorbell(std::move(file));
}

void Doorbell::WakeListener() const {
  if (page().listener.load() == kNobody) return;
  const uint32_t listener = page().listener.exchange(kNobody);
  if (listener == kNobody) return;
  page().count.fetch_add(1);  // the sleeper may not sleep yet; then it finds the count changed
  base::FutexWake(page().count, listener, 1);
}

void Doorbell::Wake(Listener listener) const {
  page().count.fetch_add(1);
  base::FutexWake(page().count, listener, 1);
}

void Doorbell::WakeAll() const {
  page().count.fetch_add(1);
  base::FutexWake(page().count, kService | kWaiter, std::numeric_limits<int>::max());
}

void Doorbell::Wait(uint32_t seen, Listener listener, base::Instant deadline) const {
  base::FutexWait(page().count, seen, listener, deadline);
}

}  // namespace twinkle::rpc

// How processes of one machine wake each other.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "runtime/base/clock.h"
#include "runtime/memory/memory_file.h"

namespace twinkle::rpc {

// A page that a process makes and its peers map: each has a slot there, which it marks, counts up, and wakes whom the
// page says. Peers can wake it for nothing, or forget to (a peer may be killed or stopped between the two), and nothing
// worse: the owner looks by itself now and then. Thread-safe.
class Doorbell {
 public:
  // Who is to be woken.
  enum Listener : uint32_t { kNobody = 0, kService = 1, kWaiter = 2 };

  static absl::StatusOr<Doorbell> Make();
  static absl::StatusOr<Doorbell> Open(int pid, int fd, uint64_t inode);

  static constexpr size_t kSlots = size_t{504} * 64;

  // What was written before is seen by whoever finds the slot marked; who does not yet finds the count changed.
  // REQUIRES: slot < kSlots.
  void Ring(size_t slot) const {
    Mark(slot);
    Ring();
  }
  // For slots that are marked already.
  void Ring() const {
    page().count.fetch_add(1);
    WakeListener();
  }
  void Mark(size_t slot) const { page().marks[slot / kBits].fetch_or(uint64_t{1} << slot % kBits); }

  // ---- the owner's side
  uint32_t count() const { return page().count.load(); }
  // f(slot) for those of the first `slots` that are marked, which they are no longer.
  template <class F>
  void TakeMarks(size_t slots, F&& f) const {
    for (size_t word = 0; word * kBits < std::min(slots, kSlots); ++word) {
      if (page().marks[word].load() == 0) continue;
      for (uint64_t marks = page().marks[word].exchange(0); marks != 0; marks &= marks - 1) {
        f(word * kBits + static_cast<size_t>(std::countr_zero(marks)));
      }
    }
  }
  void Listen(Listener listener) const { page().listener.store(listener); }
  // One that waits as `listener` leaves Wait, whoever was to be woken by Ring.
  void Wake(Listener listener) const;
  // Everybody in Wait leaves it.
  void WakeAll() const;
  // Blocks until it is rung for `listener`, unless the count is not `seen`; or until the deadline. May end early.
  void Wait(uint32_t seen, Listener listener, base::Instant deadline) const;

  const memory::MemoryFile& file() const { return file_; }

 private:
  static constexpr size_t kBits = 64;
  struct Page {
    std::atomic<uint32_t> count;
    std::atomic<uint32_t> listener;
    std::array<std::atomic<uint64_t>, kSlots / kBits> marks;  // those of the first 448 in the same cache line
  };
  explicit Doorbell(memory::MemoryFile file) : file_(std::move(file)) {}
  Page& page() const { return *reinterpret_cast<Page*>(file_.data()); }
  // Once: who was woken is on its way, and others need not be.
  void WakeListener() const;

  memory::MemoryFile file_;
};

}  // namespace twinkle::rpc

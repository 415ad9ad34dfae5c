// Doorbell: how processes of one machine wake each other.
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

// A page of memory that a process makes and its peers map. A peer rings: it marks its slot there, increments the count,
// and wakes the sleeper that the page names. A peer may ring for nothing. It may also fail to ring, for it can be
// killed or stopped at any moment; so the owner also looks at intervals by itself. Thread-safe.
class Doorbell {
 public:
  // The sleeper that a ring wakes: a thread in Poller::Serve, or one in Poller::Help.
  enum Listener : uint32_t { kNobody = 0, kService = 1, kWaiter = 2 };

  // Makes a bell. ResourceExhausted as MemoryFile::Make.
  static absl::StatusOr<Doorbell> Make();
  // Maps the bell of process `pid`, which has it open as `fd`. Errors as MemoryFile::Open.
  static absl::StatusOr<Doorbell> Open(int pid, int fd, uint64_t inode);

  static constexpr size_t kSlots = size_t{504} * 64;  // 504 words of marks, which fit in the page

  // Marks a slot and rings. What was written before is visible to whoever finds the slot marked; whoever does not find
  // it marked yet finds the count changed. REQUIRES: slot < kSlots.
  void Ring(size_t slot) const {
    Mark(slot);
    Ring();
  }
  // Rings without marking: for slots that are marked already.
  void Ring() const {
    page().count.fetch_add(1);
    WakeListener();
  }
  void Mark(size_t slot) const { page().marks[slot / kBits].fetch_or(uint64_t{1} << slot % kBits); }

  // ---- the owner's side
  uint32_t count() const { return page().count.load(); }
  // Calls f(slot) for the marked ones of the first `slots` slots, and takes their marks off.
  template <class F>
  void TakeMarks(size_t slots, F&& f) const {
    for (size_t word = 0; word * kBits < std::min(slots, kSlots); ++word) {
      if (page().marks[word].load() == 0) continue;
      for (uint64_t marks = page().marks[word].exchange(0); marks != 0; marks &= marks - 1) {
        f(word * kBits + static_cast<size_t>(std::countr_zero(marks)));
      }
    }
  }
  // Sets the sleeper that rings wake.
  void Listen(Listener listener) const { page().listener.store(listener); }
  // Ends the Wait of one thread that waits as `listener`, whichever sleeper rings wake.
  void Wake(Listener listener) const;
  // Ends the Wait of all threads.
  void WakeAll() const;
  // Blocks until the bell is rung for `listener`, or until the deadline. Returns at once if the count is not `seen`.
  // May return early for no reason.
  void Wait(uint32_t seen, Listener listener, base::Instant deadline) const;

  const memory::MemoryFile& file() const { return file_; }

 private:
  static constexpr size_t kBits = 64;  // slots of a word of marks
  struct Page {
    std::atomic<uint32_t> count;
    std::atomic<uint32_t> listener;
    // Those of the first 448 slots share the numbers' cache line.
    std::array<std::atomic<uint64_t>, kSlots / kBits> marks;
  };
  explicit Doorbell(memory::MemoryFile file) : file_(std::move(file)) {}
  Page& page() const { return *reinterpret_cast<Page*>(file_.data()); }
  // Wakes the sleeper that the page names, once: while it wakes up nobody else needs to be woken.
  void WakeListener() const;

  memory::MemoryFile file_;
};

}  // namespace twinkle::rpc

// How processes of one machine wake each other.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstdint>

#include "runtime/rpc/memory_file.h"

namespace twinkle::rpc {

// A page that a process makes and its peers map: they count up what they ring for, and wake whom it says. Peers can
// wake it for nothing, or forget to (a peer may be killed or stopped between the two), and nothing worse: the owner
// looks by itself now and then. Thread-safe.
class Doorbell {
 public:
  // Who is to be woken.
  enum Listener : uint32_t { kNobody = 0, kService = 1, kWaiter = 2 };

  static absl::StatusOr<Doorbell> Make();
  static absl::StatusOr<Doorbell> Open(int pid, int fd, uint64_t inode);

  // What was written before is seen by whoever finds the count changed.
  void Ring() const {
    page().count.fetch_add(1);
    WakeListener();
  }

  // ---- the owner's side
  uint32_t count() const { return page().count.load(); }
  void Listen(Listener listener) const { page().listener.store(listener); }
  // One that waits as `listener` leaves Wait, whoever was to be woken by Ring.
  void Wake(Listener listener) const;
  // Everybody in Wait leaves it.
  void WakeAll() const;
  // Blocks until it is rung for `listener`, unless the count is not `seen`; or until the deadline. May end early.
  void Wait(uint32_t seen, Listener listener, absl::Time deadline) const;

  const MemoryFile& file() const { return file_; }

 private:
  struct Page {
    std::atomic<uint32_t> count;
    std::atomic<uint32_t> listener;
  };
  explicit Doorbell(MemoryFile file) : file_(std::move(file)) {}
  Page& page() const { return *reinterpret_cast<Page*>(file_.data()); }
  // Once: who was woken is on its way, and others need not be.
  void WakeListener() const;

  MemoryFile file_;
};

}  // namespace twinkle::rpc

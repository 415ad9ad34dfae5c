// Memory for the contents of large values: tensors, and whatever arrives from other processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace twinkle::base {

// Memory of a special kind. Thread-safe.
class MemorySource {
 public:
  virtual ~MemorySource() = default;
  // Aligned for any element type and for cache lines; the contents are zero, or anything. Null: there is none left.
  virtual std::shared_ptr<std::byte> Allocate(size_t bytes, bool zeroed) = 0;
  // As Allocate, but only address space is taken yet: memory is taken by Reach, of the bytes before `end`, by one
  // thread. False: there is none left.
  virtual std::shared_ptr<std::byte> Reserve(size_t bytes) { return Allocate(bytes, false); }
  virtual bool Reach(const std::byte*, size_t /*end*/) { return true; }
};

// Allocations from this size on come from the source.
inline constexpr size_t kLargeBytes = 64 << 10;

// From now on, for as long as somebody owns the source. One at a time: of the process that has joined a job.
void SetMemorySource(const std::weak_ptr<MemorySource>& source);

// From the source when it is large and there is one that has room, else from the heap. Aligned as above. Null when
// there is no memory, or the machine cannot have so much. Thread-safe.
std::shared_ptr<std::byte> NewMemory(size_t bytes, bool zeroed);

// Memory that is taken while it is filled, from the front on: for what somebody has only announced. For one thread.
class GrowingMemory {
 public:
  // From the same places as NewMemory; without memory when there is none.
  static GrowingMemory Of(size_t bytes);

  const std::shared_ptr<std::byte>& memory() const { return memory_; }
  // Whether the bytes before `end` may be used; false: there is no memory left for them.
  bool Reach(size_t end);

 private:
  std::shared_ptr<MemorySource> source_;  // null: of the heap, whose memory the system gives when it is touched
  std::shared_ptr<std::byte> memory_;
  size_t bytes_ = 0;
  size_t reached_ = 0;
};

// Bytes of memory that this machine has, or that the control groups of this process allow it.
uint64_t MachineMemory();

// From the heap, whatever the size.
std::shared_ptr<std::byte> NewHeapMemory(size_t bytes, bool zeroed);

}  // namespace twinkle::base

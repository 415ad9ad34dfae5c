// Memory for the contents of large values: tensors, and what arrives from other processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace twinkle::base {

// A source of memory of a special kind, such as memory that other processes can map. Thread-safe.
class MemorySource {
 public:
  virtual ~MemorySource() = default;
  // Memory aligned for any element type and for cache lines. Its contents are zero, or anything. Null: there is none
  // left.
  virtual std::shared_ptr<std::byte> Allocate(size_t bytes, bool zeroed) = 0;
  // Allocate that takes only address space. Memory behind it is taken by Reach, which one thread at a time may call: it
  // provides the bytes before `end`. False: there is no memory left.
  virtual std::shared_ptr<std::byte> Reserve(size_t bytes) { return Allocate(bytes, false); }
  virtual bool Reach(const std::byte*, size_t /*end*/) { return true; }
};

// The size from which on allocations come from the source.
inline constexpr size_t kLargeBytes = 64 << 10;

// Installs the source for large allocations, for as long as somebody owns it. There is one at a time: that of the
// process that has joined a job. Thread-safe.
void SetMemorySource(const std::weak_ptr<MemorySource>& source);

// Memory from the source if it is large and the source has room, otherwise from the heap. Aligned as in Allocate. Null:
// there is no memory, or the machine cannot have so much. Thread-safe.
std::shared_ptr<std::byte> NewMemory(size_t bytes, bool zeroed);

// Memory that is taken while it is filled, from the front on: for contents of which so far only the size was announced.
// For one thread at a time.
class GrowingMemory {
 public:
  // Memory from the same places as NewMemory. `memory()` is null if there is none.
  static GrowingMemory Of(size_t bytes);

  const std::shared_ptr<std::byte>& memory() const { return memory_; }
  // Provides the bytes before `end`. False: there is no memory left for them.
  bool Reach(size_t end);

 private:
  std::shared_ptr<MemorySource> source_;  // null: the heap, which takes memory when it is touched
  std::shared_ptr<std::byte> memory_;
  size_t bytes_ = 0;
  size_t reached_ = 0;
};

// The bytes of memory that this machine has, or that the control groups of this process allow it.
uint64_t MachineMemory();

// Memory from the heap, whatever its size. Null: there is none.
std::shared_ptr<std::byte> NewHeapMemory(size_t bytes, bool zeroed);

}  // namespace twinkle::base

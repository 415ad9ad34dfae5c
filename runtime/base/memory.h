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
};

// Allocations from this size on come from the source.
inline constexpr size_t kLargeBytes = 64 << 10;

// From now on, for as long as somebody owns the source. One at a time: of the process that has joined a job.
void SetMemorySource(const std::weak_ptr<MemorySource>& source);

// From the source when it is large and there is one that has room, else from the heap. Aligned as above. Null when
// there is no memory. Thread-safe.
std::shared_ptr<std::byte> NewMemory(size_t bytes, bool zeroed);

// Bytes of memory that this machine, or the container that this process is in, has.
uint64_t MachineMemory();

// From the heap, whatever the size.
std::shared_ptr<std::byte> NewHeapMemory(size_t bytes, bool zeroed);

}  // namespace twinkle::base

// SegmentMap: the segments of another process, as this process maps them.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/base/mutex.h"
#include "runtime/memory/memory_file.h"
#include "runtime/memory/shared_memory.h"

namespace twinkle::memory {

// Maps the segments of one other process. A segment stays mapped until Forget or the end of this object, and for as
// long as bytes of it are in use. Thread-safe.
class SegmentMap final : public MappedMemory {
 public:
  // `pid`: of the other process.
  explicit SegmentMap(int pid) : pid_(pid) {}

  // Errors as MappedMemory::At, and as MemoryFile::Open.
  absl::StatusOr<std::shared_ptr<const std::byte>> At(const Place& place, size_t bytes) override;
  void Forget(uint64_t segment) override;

 private:
  const int pid_;
  base::Mutex mutex_;
  absl::flat_hash_map<uint64_t, std::shared_ptr<const MemoryFile>> segments_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::memory

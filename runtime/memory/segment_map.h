// Segments of other processes, as this one reads them.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/base/mutex.h"
#include "runtime/memory/memory_file.h"
#include "runtime/memory/segment_pool.h"

namespace twinkle::memory {

// The segments of one other process; those in use stay mapped, others until Clear. Thread-safe.
class SegmentMap {
 public:
  // The bytes at that place of the process; they keep the segment mapped. InvalidArgument: it is outside its segment;
  // and as MemoryFile::Open.
  absl::StatusOr<std::shared_ptr<const std::byte>> At(int pid, const SegmentPlace& place, size_t bytes);
  // The process says that it has no such segment any more.
  void Forget(uint64_t segment);

 private:
  base::Mutex mutex_;
  absl::flat_hash_map<uint64_t, std::shared_ptr<const MemoryFile>> segments_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::memory

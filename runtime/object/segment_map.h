// Segments of other processes, as this one reads them.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/base/mutex.h"
#include "runtime/object/segment_pool.h"

namespace twinkle::object {

// Opens a file of another process for reading; negative when that may not be.
int OpenOf(int pid, int fd);

// A whole segment, mapped for reading for as long as somebody holds it.
class MappedSegment {
 public:
  // FailedPrecondition: it is not a segment, sealed as those are; else why it cannot be opened or mapped.
  static absl::StatusOr<std::shared_ptr<const MappedSegment>> Open(int pid, const SegmentPlace& place);
  ~MappedSegment();

  const std::byte* base() const { return base_; }
  size_t bytes() const { return bytes_; }

 private:
  MappedSegment(const std::byte* base, size_t bytes) : base_(base), bytes_(bytes) {}
  const std::byte* const base_;
  const size_t bytes_;
};

// The segments of one other process; those in use stay mapped, others until Clear. Thread-safe.
class SegmentMap {
 public:
  // The bytes at that place of the process; they keep the segment mapped. InvalidArgument: it is outside its segment;
  // and as MappedSegment::Open.
  absl::StatusOr<std::shared_ptr<const std::byte>> At(int pid, const SegmentPlace& place, size_t bytes);
  // The process says that it has no such segment any more.
  void Forget(uint64_t segment);

 private:
  base::Mutex mutex_;
  absl::flat_hash_map<uint64_t, std::shared_ptr<const MappedSegment>> segments_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::object

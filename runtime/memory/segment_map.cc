#include "runtime/memory/segment_map.h"

#include "runtime/base/status.h"

namespace twinkle::memory {

absl::StatusOr<std::shared_ptr<const std::byte>> SegmentMap::At(int pid, const SegmentPlace& place, size_t bytes) {
  base::MutexLock lock(&mutex_);
  auto found = segments_.find(place.segment);
  if (found == segments_.end()) {
    TWINKLE_ASSIGN_OR_RETURN(
        MemoryFile file, MemoryFile::Open(pid, place.fd, place.inode, place.segment_bytes, MemoryFile::Others::kRead));
    found = segments_.emplace(place.segment, std::make_shared<const MemoryFile>(std::move(file))).first;
  }
  const std::shared_ptr<const MemoryFile>& segment = found->second;
  if (place.offset > segment->size() || bytes > segment->size() - place.offset) {
    return absl::InvalidArgumentError("a place outside its segment");
  }
  return std::shared_ptr<const std::byte>(segment, segment->data() + place.offset);
}

void SegmentMap::Forget(uint64_t segment) {
  base::MutexLock lock(&mutex_);
  segments_.erase(segment);
}

}  // namespace twinkle::memory

#include "runtime/memory/segment_map.h"

#include <variant>

#include "runtime/base/status.h"

namespace twinkle::memory {

absl::StatusOr<std::shared_ptr<const std::byte>> SegmentMap::At(const Place& place, size_t bytes) {
  const SegmentPlace* const at = std::get_if<SegmentPlace>(&place);
  if (at == nullptr) return absl::InvalidArgumentError("a place in memory of another kind");
  base::MutexLock lock(&mutex_);
  auto found = segments_.find(at->segment);
  if (found == segments_.end()) {
    TWINKLE_ASSIGN_OR_RETURN(MemoryFile file,
                             MemoryFile::Open(pid_, at->fd, at->inode, at->segment_bytes, MemoryFile::Others::kRead));
    found = segments_.emplace(at->segment, std::make_shared<const MemoryFile>(std::move(file))).first;
  }
  const std::shared_ptr<const MemoryFile>& segment = found->second;
  if (at->offset > segment->size() || bytes > segment->size() - at->offset) {
    return absl::InvalidArgumentError("a place outside its segment");
  }
  return std::shared_ptr<const std::byte>(segment, segment->data() + at->offset);
}

void SegmentMap::Forget(uint64_t segment) {
  base::MutexLock lock(&mutex_);
  segments_.erase(segment);
}

}  // namespace twinkle::memory

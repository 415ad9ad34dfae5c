#include "runtime/object/segment_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace twinkle::object {
namespace {

constexpr size_t kPage = 4096;

size_t RoundUp(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

}  // namespace

std::shared_ptr<std::byte> SegmentPool::Allocate(size_t wanted, bool zeroed) {
  if (::getpid() != process_) return nullptr;
  const size_t bytes = RoundUp(std::max<size_t>(wanted, 1), kPage);
  Found found;
  {
    base::MutexLock lock(&mutex_);
    if (bytes > options_.capacity - std::min(options_.capacity, used_)) return nullptr;
    found = Take(bytes);
    if (found.segment == nullptr) return nullptr;
    found.segment->used += bytes;
    used_ += bytes;
  }
  std::byte* const memory = found.segment->file.data() + found.offset;
  std::shared_ptr<std::byte> block(memory, [self = shared_from_this(), found, bytes](std::byte*) {
    self->Free(found.segment, found.offset, bytes);
  });
  // All pages at once, and where there are none an error instead of a signal; an older kernel touches them later.
  if ((found.fresh || scarce_) && ::madvise(memory, bytes, MADV_POPULATE_WRITE) != 0 && errno != EINVAL) {
    scarce_ = true;
    return nullptr;
  }
  if (zeroed && !found.fresh) std::memset(memory, 0, wanted);
  return block;
}

// The smallest run that is large enough, else the end of a segment.
SegmentPool::Found SegmentPool::Take(size_t bytes) {
  Found best;
  size_t best_bytes = 0;
  for (auto& [base, segment] : segments_) {
    for (const auto& [offset, length] : segment->free) {
      if (length < bytes || (best.segment != nullptr && length >= best_bytes)) continue;
      best = {segment.get(), offset, false};
      best_bytes = length;
    }
  }
  if (best.segment != nullptr) {
    best.segment->free.erase(best.offset);
    if (best_bytes > bytes) best.segment->free[best.offset + bytes] = best_bytes - bytes;
    return best;
  }
  Segment* roomy = nullptr;
  for (auto& [base, segment] : segments_) {
    if (segment->file.size() - segment->fresh >= bytes) roomy = segment.get();
  }
  if (roomy == nullptr) roomy = NewSegment(std::max(bytes, options_.segment_bytes));
  if (roomy == nullptr) return {};
  const size_t offset = roomy->fresh;
  roomy->fresh += bytes;
  return {roomy, offset, true};
}

SegmentPool::Segment* SegmentPool::NewSegment(size_t bytes) {
  absl::StatusOr<rpc::MemoryFile> file = rpc::MemoryFile::Make("twinkle", bytes, rpc::MemoryFile::Others::kRead);
  if (!file.ok()) return nullptr;
  auto segment = std::make_unique<Segment>();
  segment->id = next_++;
  segment->file = *std::move(file);
  Segment* const made = segment.get();
  segments_[made->file.data()] = std::move(segment);
  return made;
}

void SegmentPool::Free(Segment* segment, size_t offset, size_t bytes) {
  if (::getpid() != process_) return;
  std::unique_ptr<Segment> emptied;
  std::function<void(uint64_t)> unmapped;
  {
    base::MutexLock lock(&mutex_);
    if (!PutBack(segment, offset, bytes)) return;
    const auto found = segments_.find(segment->file.data());
    emptied = std::move(found->second);
    segments_.erase(found);
    unmapped = unmapped_;
  }
  const uint64_t id = emptied->id;
  emptied = nullptr;
  if (unmapped) unmapped(id);
}

bool SegmentPool::PutBack(Segment* segment, size_t offset, size_t bytes) {
  used_ -= bytes;
  segment->used -= bytes;
  if (segment->used == 0 && segments_.size() > 1) return true;
  auto next = segment->free.lower_bound(offset);
  if (next != segment->free.end() && next->first == offset + bytes) {
    bytes += next->second;
    next = segment->free.erase(next);
  }
  if (next != segment->free.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == offset) {
      before->second += bytes;
      return false;
    }
  }
  segment->free[offset] = bytes;
  return false;
}

void SegmentPool::OnUnmapped(std::function<void(uint64_t segment)> unmapped) {
  base::MutexLock lock(&mutex_);
  unmapped_ = std::move(unmapped);
}

std::optional<SegmentPlace> SegmentPool::Find(const std::byte* data, size_t bytes) const {
  base::MutexLock lock(&mutex_);
  const auto after = segments_.upper_bound(data);
  if (after == segments_.begin()) return std::nullopt;
  const Segment& segment = *std::prev(after)->second;
  const size_t offset = static_cast<size_t>(data - segment.file.data());
  if (offset > segment.file.size() || bytes > segment.file.size() - offset) return std::nullopt;
  return SegmentPlace{segment.id, segment.file.fd(), segment.file.inode(), segment.file.size(), offset};
}

size_t SegmentPool::bytes_used() const {
  base::MutexLock lock(&mutex_);
  return used_;
}

size_t SegmentPool::bytes_touched() const {
  base::MutexLock lock(&mutex_);
  size_t touched = 0;
  for (const auto& [base, segment] : segments_) touched += segment->fresh;
  return touched;
}

size_t SegmentPool::segment_count() const {
  base::MutexLock lock(&mutex_);
  return segments_.size();
}

}  // namespace twinkle::object

#include "runtime/memory/segment_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <vector>

#include "runtime/memory/segment_map.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace twinkle::memory {
namespace {

size_t PageBytes() {
  static const size_t bytes = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

size_t RoundUp(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

// Runs of bytes: offset -> length.
using Runs = std::map<size_t, size_t>;

void AddRun(size_t offset, size_t bytes, Runs* runs) {
  auto next = runs->lower_bound(offset);
  if (next != runs->end() && next->first == offset + bytes) {
    bytes += next->second;
    next = runs->erase(next);
  }
  const auto before = next == runs->begin() ? runs->end() : std::prev(next);
  if (before != runs->end() && before->first + before->second == offset) {
    before->second += bytes;
  } else {
    runs->emplace_hint(next, offset, bytes);
  }
}

// Takes the first bytes of a run.
void TakeFront(size_t offset, size_t bytes, Runs* runs) {
  auto run = runs->extract(offset);
  if (run.mapped() == bytes) return;
  run.key() += bytes;
  run.mapped() -= bytes;
  runs->insert(std::move(run));
}

// The length of the run that ends at `end`; 0: none does.
size_t LengthBefore(size_t end, const Runs& runs) {
  const auto after = runs.lower_bound(end);
  if (after == runs.begin()) return 0;
  const auto before = std::prev(after);
  return before->first + before->second == end ? before->second : 0;
}

}  // namespace

// A block, which has no memory behind it yet where it is fresh.
std::shared_ptr<std::byte> SegmentPool::Block(size_t wanted, Found* found) {
  if (::getpid() != process_ || wanted > options_.capacity) return nullptr;
  const size_t bytes = RoundUp(std::max<size_t>(wanted, 1), PageBytes());
  {
    base::MutexLock lock(&mutex_);
    if (closed_ || bytes > options_.capacity - std::min(options_.capacity, used_)) return nullptr;
    *found = Take(bytes);
    if (found->segment == nullptr) return nullptr;
    found->segment->used += bytes;
    used_ += bytes;
    if (found->touched < bytes) found->segment->reserved[found->offset] = found->touched;
  }
  std::byte* const memory = found->segment->file.data() + found->offset;
  return {memory, [self = shared_from_this(), segment = found->segment, offset = found->offset, bytes](std::byte*) {
            self->Free(segment, offset, bytes);
          }};
}

std::shared_ptr<std::byte> SegmentPool::Allocate(size_t wanted, bool zeroed) {
  Found found;
  std::shared_ptr<std::byte> block = Block(wanted, &found);
  if (block == nullptr || !Reach(block.get(), RoundUp(std::max<size_t>(wanted, 1), PageBytes()))) return nullptr;
  if (zeroed) std::memset(block.get(), 0, std::min(wanted, found.touched));
  return block;
}

std::shared_ptr<std::byte> SegmentPool::Reserve(size_t wanted) {
  Found found;
  return Block(wanted, &found);
}

// Touches all pages at once, which gives an error instead of a signal if there is no memory. An older kernel touches
// them later.
bool SegmentPool::Reach(const std::byte* block, size_t end) {
  const size_t last = RoundUp(end, PageBytes());
  size_t first = 0;
  {
    base::MutexLock lock(&mutex_);
    Segment* const segment = SegmentOf(block);
    const auto found = segment->reserved.find(static_cast<size_t>(block - segment->file.data()));
    if (found == segment->reserved.end() || found->second >= last) return true;
    first = found->second;
  }
  std::byte* const memory = const_cast<std::byte*>(block);
  if (::madvise(memory + first, last - first, MADV_POPULATE_WRITE) != 0 && errno != EINVAL) return false;
  base::MutexLock lock(&mutex_);
  Segment* const segment = SegmentOf(block);
  segment->reserved[static_cast<size_t>(block - segment->file.data())] = last;
  return true;
}

SegmentPool::Found SegmentPool::TakeTouched(size_t bytes) {
  Found best;
  for (auto& [base, segment] : segments_) {
    for (const auto& [offset, length] : segment->free) {
      if (length < bytes || (best.segment != nullptr && length >= best.touched)) continue;
      best = {segment.get(), offset, length};
    }
  }
  if (best.segment == nullptr) return best;
  TakeFront(best.offset, bytes, &best.segment->free);
  best.touched = bytes;
  return best;
}

// Takes fresh memory together with the touched run right before it, which alone is too small.
SegmentPool::Found SegmentPool::TakeFresh(size_t bytes) {
  Found best;
  size_t best_bytes = 0;
  for (auto& [base, segment] : segments_) {
    for (const auto& [offset, length] : segment->fresh) {
      const size_t touched = LengthBefore(offset, segment->free);
      const size_t all = touched + length;
      if (all < bytes || (best.segment != nullptr && all >= best_bytes)) continue;
      best = {segment.get(), offset - touched, touched};
      best_bytes = all;
    }
  }
  if (best.segment == nullptr) return best;
  best.segment->free.erase(best.offset);
  TakeFront(best.offset + best.touched, bytes - best.touched, &best.segment->fresh);
  return best;
}

SegmentPool::Found SegmentPool::Take(size_t bytes) {
  Found found = TakeTouched(bytes);
  if (found.segment == nullptr) found = TakeFresh(bytes);
  if (found.segment != nullptr || NewSegment(std::max(bytes, options_.segment_bytes)) == nullptr) return found;
  return TakeFresh(bytes);
}

SegmentPool::Segment* SegmentPool::NewSegment(size_t bytes) {
  absl::StatusOr<MemoryFile> file = MemoryFile::Make("twinkle", bytes, MemoryFile::Others::kRead);
  if (!file.ok()) return nullptr;
  auto segment = std::make_unique<Segment>();
  segment->id = next_++;
  segment->file = *std::move(file);
  segment->fresh[0] = segment->file.size();
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
  if (segment->used == 0) idle_since_ = base::Now();
  if (IsIdle(*segment)) return true;
  if (segment->used == 0) AskForTrim(options_.keep_idle);
  size_t touched = bytes;
  if (const auto reserved = segment->reserved.extract(offset); !reserved.empty()) touched = reserved.mapped();
  if (touched < bytes) AddRun(offset + touched, bytes - touched, &segment->fresh);
  if (touched > 0) AddRun(offset, touched, &segment->free);
  return false;
}

bool SegmentPool::IsIdle(const Segment& segment) const {
  return segment.used == 0 && (closed_ || segments_.size() > 1 || base::Now() - idle_since_ >= options_.keep_idle);
}

std::vector<std::unique_ptr<SegmentPool::Segment>> SegmentPool::TakeIdle() {
  std::vector<std::unique_ptr<Segment>> idle;
  for (auto segment = segments_.begin(); segment != segments_.end();) {
    const auto here = segment++;
    if (!IsIdle(*here->second)) continue;
    idle.push_back(std::move(here->second));
    segments_.erase(here);
  }
  return idle;
}

void SegmentPool::OnIdle(std::function<void(absl::Duration delay)> later) {
  base::MutexLock lock(&mutex_);
  later_ = std::move(later);
}

void SegmentPool::AskForTrim(absl::Duration delay) {
  if (trimming_ || !later_ || delay == absl::InfiniteDuration()) return;
  trimming_ = true;
  later_(delay);
}

void SegmentPool::Trim() {
  std::vector<std::unique_ptr<Segment>> idle;
  std::function<void(uint64_t)> unmapped;
  {
    base::MutexLock lock(&mutex_);
    trimming_ = false;
    idle = TakeIdle();
    unmapped = unmapped_;
    if (segments_.size() == 1 && segments_.begin()->second->used == 0) {
      AskForTrim(options_.keep_idle - (base::Now() - idle_since_));
    }
  }
  for (std::unique_ptr<Segment>& segment : idle) {
    const uint64_t id = segment->id;
    segment = nullptr;
    if (unmapped) unmapped(id);
  }
}

void SegmentPool::Close() {
  std::vector<std::unique_ptr<Segment>> idle;  // unmapped outside the lock
  base::MutexLock lock(&mutex_);
  closed_ = true;
  later_ = nullptr;
  idle = TakeIdle();
}

void SegmentPool::OnUnmapped(std::function<void(uint64_t segment)> unmapped) {
  base::MutexLock lock(&mutex_);
  unmapped_ = std::move(unmapped);
}

SegmentPool::Segment* SegmentPool::SegmentOf(const std::byte* data) const {
  const auto after = segments_.upper_bound(data);
  if (after == segments_.begin()) return nullptr;
  Segment* const segment = std::prev(after)->second.get();
  return static_cast<size_t>(data - segment->file.data()) <= segment->file.size() ? segment : nullptr;
}

std::optional<Place> SegmentPool::Find(const std::byte* data, size_t bytes) const {
  base::MutexLock lock(&mutex_);
  const Segment* const segment = SegmentOf(data);
  if (segment == nullptr) return std::nullopt;
  const size_t offset = static_cast<size_t>(data - segment->file.data());
  if (bytes > segment->file.size() - offset) return std::nullopt;
  return SegmentPlace{segment->id, segment->file.fd(), segment->file.inode(), segment->file.size(), offset};
}

std::shared_ptr<std::byte> SegmentPool::CopyOf(const std::byte* data, size_t bytes) {
  std::shared_ptr<std::byte> block = Allocate(bytes, false);
  if (block != nullptr) std::memcpy(block.get(), data, bytes);
  return block;
}

std::unique_ptr<MappedMemory> SegmentPool::MappedOf(int pid) const { return std::make_unique<SegmentMap>(pid); }

size_t SegmentPool::bytes_used() const {
  base::MutexLock lock(&mutex_);
  return used_;
}

size_t SegmentPool::bytes_touched() const {
  base::MutexLock lock(&mutex_);
  size_t touched = 0;
  for (const auto& [base, segment] : segments_) {
    touched += segment->file.size();
    for (const auto& [offset, length] : segment->fresh) touched -= length;
  }
  return touched;
}

size_t SegmentPool::segment_count() const {
  base::MutexLock lock(&mutex_);
  return segments_.size();
}

}  // namespace twinkle::memory

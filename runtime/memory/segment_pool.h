// SegmentPool: memory that other processes of the machine can map. It is made of memory files, which are cut into
// blocks.
#pragma once

#include <absl/time/time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/memory.h"
#include "runtime/base/mutex.h"
#include "runtime/memory/memory_file.h"
#include "runtime/memory/shared_memory.h"

namespace twinkle::memory {

// The size of a pool.
struct SegmentOptions {
  size_t segment_bytes = size_t{1} << 30;        // of address space; memory is taken when it is first used
  size_t capacity = size_t{1} << 40;             // the most bytes of blocks
  absl::Duration keep_idle = absl::Seconds(30);  // how long the only segment is kept without blocks
};

// Memory of the machine, whose chunks are segments. Thread-safe. Blocks keep the pool alive. Invariants, besides those
// of SharedMemory:
//  SM1 a block overlaps with no other block, and its memory is given out again only after its last reference is gone;
//  SM2 a segment is sealed: nobody can change its size, and nobody but this process can write to it;
//  SM3 memory that was used before is given out first. It needs no new pages, whose first touch costs ten times a copy;
//  SM4 a segment without blocks is unmapped: at once, or if it is the only one, after `keep_idle` or with Close;
//  SM5 a fork of the process gets nothing of the pool, and gives nothing back: both processes would use the same
//      memory;
//  SM6 adjoining free memory is one run, separately for memory that was used before and memory that was not. A block
//      may span the end of a used run and the beginning of an unused one. So free memory is divided only by existing
//      blocks.
class SegmentPool final : public base::MemorySource,
                          public SharedMemory,
                          public std::enable_shared_from_this<SegmentPool> {
 public:
  explicit SegmentPool(SegmentOptions options = {}) : options_(options) {}

  // ---- MemorySource
  std::shared_ptr<std::byte> Allocate(size_t bytes, bool zeroed) override;
  std::shared_ptr<std::byte> Reserve(size_t bytes) override;
  bool Reach(const std::byte* block, size_t end) override;

  // ---- SharedMemory; other processes map it with a SegmentMap
  std::optional<Place> Find(const std::byte* data, size_t bytes) const override;
  std::shared_ptr<std::byte> CopyOf(const std::byte* data, size_t bytes) override;
  std::unique_ptr<MappedMemory> MappedOf(int pid) const override;
  void OnUnmapped(std::function<void(uint64_t segment)> unmapped) override;
  void OnIdle(std::function<void(absl::Duration delay)> later) override;
  // Unmaps the only segment if it has had no blocks for `keep_idle`.
  void Trim() override;
  void Close() override;

  size_t bytes_used() const;     // of blocks
  size_t bytes_touched() const;  // memory that the pool holds, in use or not
  size_t segment_count() const;

 private:
  struct Segment {
    uint64_t id = 0;
    MemoryFile file;
    size_t used = 0;                    // bytes of blocks
    std::map<size_t, size_t> free;      // offset -> length of free runs that were touched; no two are neighbours
    std::map<size_t, size_t> fresh;     // offset -> length of free runs that were not touched; no two are neighbours
    std::map<size_t, size_t> reserved;  // offset -> bytes reached, of blocks that are not touched as a whole
  };
  struct Found {
    Segment* segment = nullptr;
    size_t offset = 0;
    size_t touched = 0;  // bytes from `offset` on that were touched before
  };

  std::shared_ptr<std::byte> Block(size_t wanted, Found* found);
  Found Take(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes memory of the smallest run that is large enough; no segment: there is none.
  Found TakeTouched(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Found TakeFresh(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Segment* NewSegment(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Free(Segment* segment, size_t offset, size_t bytes);
  // Whether the segment must be unmapped: it has no blocks, and is not kept.
  bool IsIdle(const Segment& segment) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AskForTrim(absl::Duration delay) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<std::unique_ptr<Segment>> TakeIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The segment that holds the byte; null: none does.
  Segment* SegmentOf(const std::byte* data) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Frees a block. Returns whether the segment must be unmapped with its last block.
  bool PutBack(Segment* segment, size_t offset, size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const SegmentOptions options_;
  const pid_t process_ = ::getpid();
  mutable base::Mutex mutex_;
  std::map<const std::byte*, std::unique_ptr<Segment>> segments_ ABSL_GUARDED_BY(mutex_);  // by base
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  size_t used_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  base::Instant idle_since_ ABSL_GUARDED_BY(mutex_);  // since when the only segment is idle, if it is
  bool trimming_ ABSL_GUARDED_BY(mutex_) = false;     // Trim will be called
  std::function<void(absl::Duration)> later_ ABSL_GUARDED_BY(mutex_);
  std::function<void(uint64_t)> unmapped_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::memory

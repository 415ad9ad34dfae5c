// Memory of one kind that processes of a machine share: what its owner gives out, and what another process sees of it.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "runtime/memory/place.h"

namespace twinkle::memory {

// One other process's memory of a kind, as this process maps it. Thread-safe.
class MappedMemory {
 public:
  virtual ~MappedMemory() = default;

  // The bytes at that place, which stay mapped as long as somebody has them. A chunk is mapped as a whole, when the
  // first place in it is asked for. REQUIRES: the owner holds the bytes for this process, by a lease. InvalidArgument:
  // the place is outside its chunk, or of another kind. ResourceExhausted: it cannot be mapped now, and may be later.
  // Another error: there is no such memory, or it is not for this process.
  virtual absl::StatusOr<std::shared_ptr<const std::byte>> At(const Place& place, size_t bytes) = 0;
  // The owner says that it has no such chunk any more: it is unmapped, once nobody has bytes of it.
  virtual void Forget(uint64_t chunk) = 0;
};

// This process's memory of a kind: blocks in numbered chunks, which others map. Thread-safe. Invariants, which the
// conformance suite checks for every kind:
//  SH1 a block's bytes are where Find says until its last reference has gone, whoever has mapped them;
//  SH2 a chunk's number is never used again, and that a chunk has gone is told once, but for what Close lets go of;
//  SH3 nobody but this process writes to a chunk, or changes its size;
//  SH4 a fork of this process gets nothing of it, and gives nothing back.
class SharedMemory {
 public:
  virtual ~SharedMemory() = default;

  // Where others find the bytes, of a block that the caller has. Nothing: they are not in this memory.
  virtual std::optional<Place> Find(const std::byte* data, size_t bytes) const = 0;
  // A block with a copy of the bytes; both are for the host to read. Null: there is no room.
  virtual std::shared_ptr<std::byte> CopyOf(const std::byte* data, size_t bytes) = 0;
  // What this process maps of the memory, of this kind, of process `pid`. Nothing is mapped yet.
  virtual std::unique_ptr<MappedMemory> MappedOf(int pid) const = 0;

  // `unmapped` is told of each chunk that has gone, in whichever thread lets go of its last block. One at a time: a
  // later call replaces it.
  virtual void OnUnmapped(std::function<void(uint64_t chunk)> unmapped) = 0;
  // `later(delay)` is to have Trim called after that time. It is called under a lock: it only makes a note. One at a
  // time.
  virtual void OnIdle(std::function<void(absl::Duration delay)> later) = 0;
  // Lets go of chunks that were kept without blocks, and whose time has come.
  virtual void Trim() = 0;

  // There are no more blocks to be had; a chunk goes with its last block, at once when it has none. Forgets OnIdle.
  // Does not block; a second call does nothing.
  virtual void Close() = 0;
};

}  // namespace twinkle::memory

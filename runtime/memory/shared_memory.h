// Interfaces for one kind of memory that processes of a machine share: the owner's side, and another process's side.
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

// The memory of one other process, as this process maps it. Thread-safe.
class MappedMemory {
 public:
  virtual ~MappedMemory() = default;

  // The bytes at a place, which stay mapped for as long as somebody holds them. A chunk is mapped as a whole when the
  // first place in it is asked for. REQUIRES: the owner keeps the bytes for this process, by a lease. InvalidArgument:
  // the place is outside its chunk, or of another kind; ResourceExhausted: it cannot be mapped now, and may be later;
  // other errors: there is no such memory, or this process may not map it.
  virtual absl::StatusOr<std::shared_ptr<const std::byte>> At(const Place& place, size_t bytes) = 0;
  // The owner has no such chunk any more: it is unmapped once nobody holds bytes of it.
  virtual void Forget(uint64_t chunk) = 0;
};

// This process's memory of one kind: blocks in numbered chunks, which other processes map. Thread-safe. Invariants,
// which the conformance suite checks for every kind:
//  SH1 a block's bytes are where Find says until its last reference is gone, whoever has mapped them;
//  SH2 a chunk's number is never used again, and the end of a chunk is reported once, except for chunks that Close lets
//      go of;
//  SH3 nobody but this process writes to a chunk, or changes its size;
//  SH4 a fork of this process gets nothing of the memory, and gives nothing back.
class SharedMemory {
 public:
  virtual ~SharedMemory() = default;

  // Where other processes find the bytes of a block that the caller holds. Nothing: they are not in this memory.
  virtual std::optional<Place> Find(const std::byte* data, size_t bytes) const = 0;
  // A block with a copy of the bytes; the host can read both. Null: there is no room.
  virtual std::shared_ptr<std::byte> CopyOf(const std::byte* data, size_t bytes) = 0;
  // This process's side of the memory of process `pid`, of the same kind. Nothing is mapped yet.
  virtual std::unique_ptr<MappedMemory> MappedOf(int pid) const = 0;

  // Sets the callback for each chunk that has gone, which runs in the thread that releases its last block. A later call
  // replaces the callback.
  virtual void OnUnmapped(std::function<void(uint64_t chunk)> unmapped) = 0;
  // Sets the callback that asks for a call of Trim after `delay`. It runs under a lock, so it must do no more than
  // post. A later call replaces the callback.
  virtual void OnIdle(std::function<void(absl::Duration delay)> later) = 0;
  // Unmaps chunks that were kept without blocks, and whose time has come.
  virtual void Trim() = 0;

  // Ends the giving out of blocks. A chunk goes with its last block; at once if it has none. Drops the callback of
  // OnIdle. Does not block. Further calls do nothing.
  virtual void Close() = 0;
};

}  // namespace twinkle::memory

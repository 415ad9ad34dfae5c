// Large parts of frames that stay where they are: places instead of bytes on the way out, mapped memory on the way in.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/base/mutex.h"
#include "runtime/base/process_mark.h"
#include "runtime/memory/leases.h"
#include "runtime/memory/mapped_files.h"
#include "runtime/memory/shared_memory.h"
#include "runtime/memory/spare_descriptor.h"
#include "runtime/rpc/near/near_word.h"
#include "runtime/rpc/near/releases.h"
#include "runtime/rpc/traffic.h"

namespace twinkle::rpc {

// Another process's memory as this one maps it, by kind. Thread-safe.
class PeerMemory {
 public:
  PeerMemory(const std::vector<std::shared_ptr<memory::SharedMemory>>& memories, int pid);

  // The bytes at that place. InvalidArgument also: it is in memory of a kind that is unknown here. See
  // MappedMemory::At.
  absl::StatusOr<std::shared_ptr<const std::byte>> At(const memory::Place& place, size_t bytes) const;
  void Forget(const UnmappedChunk& gone) const;

 private:
  std::vector<std::unique_ptr<memory::MappedMemory>> kinds_;
};

// What a process and its neighbours have of each other's memory. It knows no connections: who can read what is its
// owner's to find out. Invariants:
//  SB1 a buffer that a peer maps is held, by a lease, until that peer has released it or is known to have ended: a
//      connection that broke is not enough;
//  SB2 a lease is released once, by the peer that has it;
//  SB3 a peer gets the bytes that the buffer has when it is sent, also where it gets a copy that was made for another;
//  SB4 a buffer that cannot be mapped for want of a descriptor, of address space or of a thread is missing from its
//      frame (codec::Missing), and nothing else is: the peer is not lost.
// Thread-safe.
class SharedBuffers {
 public:
  struct Options {
    size_t from_bytes = 32 << 10;  // smaller ones travel
    // What peers can map: the kinds of memory::Place, in their order. What is in none of them is copied into the
    // first; without any everything travels. Close closes them.
    std::vector<std::shared_ptr<memory::SharedMemory>> memories = {};
    // Where values are that were to take no more memory; may be null.
    std::shared_ptr<const memory::MappedFiles> files = nullptr;
  };
  SharedBuffers(Options options, std::shared_ptr<Releases> releases, std::shared_ptr<Traffic> traffic);

  // ---- sending
  // Takes the large buffers out of the frame, and says where they are. What is in no shared memory is copied there,
  // once for all peers. Values in files travel, or this process would have in memory what did not fit there; so does
  // what finds no room. REQUIRES: the peer can map what this process has.
  std::vector<SharedBuffer> Share(ProcessId to, Frame* frame);
  // The frame was not taken.
  void Unshare(ProcessId to, const std::vector<SharedBuffer>& shared);
  // The peer has let go of these leases.
  void Release(ProcessId peer, const std::vector<uint64_t>& leases) { leases_.Release(peer, leases); }

  // ---- receiving
  // Whether that process's memory can be read from here: what it has then. See Probe::Check.
  absl::StatusOr<std::shared_ptr<const PeerMemory>> MemoryOf(const Hello& hello);
  // Puts mapped buffers where they belong. `unmapped`: leases of what is missing, to be given back. InvalidArgument,
  // and what else PeerMemory::At says but ResourceExhausted: places that make no sense, and the peer is to be lost.
  absl::Status Resolve(ProcessId from, const PeerMemory& memory, const std::vector<SharedBuffer>& shared, Frame* frame,
                       std::vector<uint64_t>* unmapped);

  // ---- the end
  // The connection is gone: the leases go with the process that maps, which may have none.
  void PeerLost(ProcessId peer, const base::ProcessMark& reader) { leases_.PeerLost(peer, reader); }
  // What others still map stays as it is.
  void Close();

  // Held now.
  size_t lease_count() const { return leases_.size(); }

 private:
  // A copy in shared memory, as those who map it hold it. It keeps the original, too: what others hold is not written
  // in place, and so the copy stays equal to it.
  struct Copy {
    std::shared_ptr<std::byte> memory;
    std::shared_ptr<const void> original;
  };
  // What was copied into shared memory lately: the same goes to several peers.
  struct Copied {
    std::weak_ptr<const void> owner;
    const std::byte* data = nullptr;
    size_t size = 0;
    std::weak_ptr<const Copy> copy;
  };

  std::shared_ptr<const void> InSharedMemory(const codec::Buffer& buffer, memory::Place* place);
  std::shared_ptr<const Copy> CopyOf(const codec::Buffer& buffer);
  absl::StatusOr<codec::Buffer> Map(ProcessId from, const PeerMemory& memory, const SharedBuffer& shared,
                                    bool has_thread, std::vector<uint64_t>* unmapped);

  const Options options_;
  const std::shared_ptr<Releases> releases_;
  const std::shared_ptr<Traffic> traffic_;
  memory::Leases leases_;
  memory::SpareDescriptor spare_;
  base::Mutex mutex_;
  std::vector<Copied> copied_ ABSL_GUARDED_BY(mutex_);
  size_t next_copied_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace twinkle::rpc

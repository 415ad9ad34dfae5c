// SharedBuffers: large buffers of frames that stay in place. Frames carry places in memory instead of bytes, and the
// receiver maps them.
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

// The memory of another process, as this one maps it, by kind. Thread-safe.
class PeerMemory {
 public:
  PeerMemory(const std::vector<std::shared_ptr<memory::SharedMemory>>& memories, int pid);

  // The bytes at a place. Errors as MappedMemory::At; also InvalidArgument: the memory is of a kind that is unknown
  // here.
  absl::StatusOr<std::shared_ptr<const std::byte>> At(const memory::Place& place, size_t bytes) const;
  // The owner has no such chunk any more.
  void Forget(const UnmappedChunk& gone) const;

 private:
  std::vector<std::unique_ptr<memory::MappedMemory>> kinds_;
};

// The buffers that a process and its neighbours share. It knows nothing of connections; its owner finds out who can
// read what. Thread-safe. Invariants:
//  SB1 a buffer that a peer maps is held, by a lease, until that peer has released it or is known to have ended: a
//      connection that broke is not enough;
//  SB2 a lease is released once, by the peer that has it;
//  SB3 a peer gets the bytes that the buffer has when it is sent, also where it gets a copy that was made for another;
//  SB4 a buffer that cannot be mapped for want of a descriptor, of address space or of a thread is missing from its
//      frame (codec::Missing), and nothing else is: the peer is not lost.
class SharedBuffers {
 public:
  struct Options {
    size_t from_bytes = 32 << 10;  // smaller buffers are sent as bytes
    // The memories that peers can map: the kinds of memory::Place, in their order. A buffer that is in none of them is
    // copied into the first. Without any, all buffers are sent as bytes. Close closes them.
    std::vector<std::shared_ptr<memory::SharedMemory>> memories = {};
    // Mapped files. Values in these were meant to take no more memory. May be null.
    std::shared_ptr<const memory::MappedFiles> files = nullptr;
  };
  SharedBuffers(Options options, std::shared_ptr<Releases> releases, std::shared_ptr<Traffic> traffic);

  // ---- sending
  // Takes the large buffers out of the frame, and returns where they are, each with a lease. A buffer in no shared
  // memory is copied there, once for all peers. Two kinds stay in the frame: values in files, or this process would
  // hold in memory what did not fit there, and buffers for which there is no room. REQUIRES: the peer can map this
  // process's memory.
  std::vector<SharedBuffer> Share(ProcessId to, Frame* frame);
  // Ends the leases of a frame that could not be sent.
  void Unshare(ProcessId to, const std::vector<SharedBuffer>& shared);
  // Ends leases that the peer has let go of.
  void Release(ProcessId peer, const std::vector<uint64_t>& leases) { leases_.Release(peer, leases); }

  // ---- receiving
  // The memory of a process that has sent Hello, if it can be read from here. Errors as Probe::Check.
  absl::StatusOr<std::shared_ptr<const PeerMemory>> MemoryOf(const Hello& hello);
  // Puts mapped buffers into the frame, where they belong. `unmapped`: the leases of buffers that are missing, to be
  // given back. Errors as PeerMemory::At, but not ResourceExhausted, and InvalidArgument: the places make no sense, and
  // the peer should be lost.
  absl::Status Resolve(ProcessId from, const PeerMemory& memory, const std::vector<SharedBuffer>& shared, Frame* frame,
                       std::vector<uint64_t>* unmapped);

  // ---- the end
  // The connection is gone. The leases of the peer end with the process that maps, `reader`; at once if there is none.
  void PeerLost(ProcessId peer, const base::ProcessMark& reader) { leases_.PeerLost(peer, reader); }
  // Ends sharing. What peers still map stays as it is.
  void Close();

  // The number of leases.
  size_t lease_count() const { return leases_.size(); }

 private:
  // A copy in shared memory, held by the leases of its readers. It also keeps the original: a buffer with several
  // owners is not written in place, and so the copy stays equal to it.
  struct Copy {
    std::shared_ptr<std::byte> memory;
    std::shared_ptr<const void> original;
  };
  // A recent copy, for the same buffer is often sent to several peers.
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

// Large parts of what processes on one machine send each other do not travel: the receiver maps them.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/executor.h"
#include "runtime/base/fd.h"
#include "runtime/memory/leases.h"
#include "runtime/memory/mapped_files.h"
#include "runtime/memory/shared_memory.h"
#include "runtime/memory/spare_descriptor.h"
#include "runtime/rpc/peer_map.h"
#include "runtime/rpc/traffic.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// Says what of a frame is elsewhere, and what the two transports have to say to each other. The codec's description is
// its wire format.
struct SharedBuffer {
  uint64_t index = 0;  // among all of the frame's buffers; ascending
  memory::Place place;
  uint64_t bytes = 0;
  uint64_t lease = 0;
};
struct UnmappedChunk {
  uint64_t kind = 0;  // of memory, as the index of a place
  uint64_t chunk = 0;
};
struct ReadProbe {  // can you read this?
  int32_t pid = 0;
  int32_t fd = -1;
  std::string content;
};
struct ReadAnswer {
  int32_t pid = 0;
  bool readable = false;
};
struct FrameTrailer {
  std::vector<SharedBuffer> shared;
  std::vector<uint64_t> released;       // leases
  std::vector<UnmappedChunk> unmapped;  // that are no more
  std::optional<ReadProbe> probe;
  std::optional<ReadAnswer> answer;
  bool bare = false;  // there is no frame for the receiver
};

// A transport over another one. Peers that can map this process's memory (each is asked, with the first frame to it)
// are sent places in it instead of buffers from `shared_bytes` on; what is not in shared memory is copied into it, once
// for all peers, but for values on disk: they get the bytes, or this process would have in memory what did not fit
// there. Others get the bytes. The receiver's buffers refer to the sender's memory, which stays as it is until they are
// gone there. Invariants, besides the transport's own:
//  M1 a buffer that a peer maps is held, by a lease, until that peer has released it or is known to have ended: a
//     connection that broke is not enough;
//  M2 a lease is released once, by the peer that has it;
//  M3 a peer gets the bytes that the buffer has when it is sent, also where it gets a copy that was made for another;
//  M4 a buffer that cannot be mapped for want of a descriptor, of address space or of a thread is missing from its
//     frame (codec::Missing), and nothing else is: the peer is not lost;
//  M5 it is the transport below that loses a peer, for whatever reason, and tells both sides: no layer has one that
//     another has lost.
// Thread-safe.
class SharedMemoryTransport final : public Transport, public Receiver {
 public:
  struct Options {
    ProcessId self = kProgram;
    size_t shared_bytes = 32 << 10;
    IsNear is_near = [](ProcessId) { return true; };
    // What peers can map: the kinds of memory::Place, in their order, at least the first. What is in none of them is
    // copied into the first. This closes them.
    std::vector<std::shared_ptr<memory::SharedMemory>> memories = {};
    std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
    // Where values are that were to take no more memory; may be null.
    std::shared_ptr<const memory::MappedFiles> files = nullptr;
  };

  // `executor` outlives it.
  SharedMemoryTransport(Options options, base::Executor* executor, std::unique_ptr<Transport> below);
  ~SharedMemoryTransport() override;

  // Transport. What the memories want done later is done on the queue, too.
  void Start(Receiver* receiver, base::TaskQueue* queue) override;
  absl::Status Send(ProcessId to, Stream stream, Frame frame) override;
  void Lose(ProcessId peer, const absl::Status& why) override;
  void Close() override;
  // Receiver, of the transport below
  void OnFrame(ProcessId from, Stream stream, Frame frame) override;
  void OnLost(ProcessId peer, const absl::Status& why) override;

  const Traffic& traffic() const { return *options_.traffic; }
  // Held now.
  size_t lease_count() const { return leases_.size(); }

 private:
  class Releases;  // of buffers that this process has mapped
  // A peer's memory, by kind.
  using Mapped = std::vector<std::unique_ptr<memory::MappedMemory>>;
  struct Peer {
    std::atomic<bool> asked = false;
    std::atomic<bool> shares = false;  // it can map what this process has
    std::atomic<bool> lost = false;    // nothing is sent to it, nor taken from it
    base::Mutex mutex;
    base::ProcessMark reader ABSL_GUARDED_BY(mutex);  // the process that maps what this one has, as that says
    std::shared_ptr<const Mapped> mapped ABSL_GUARDED_BY(mutex);  // null: a probe has not shown that it can be read
    absl::Status why ABSL_GUARDED_BY(mutex);                      // it is lost
    bool told ABSL_GUARDED_BY(mutex) = false;                     // that it is, by the transport below
  };

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

  void MakeProbe();
  void ShareBuffers(ProcessId to, Frame* frame, FrameTrailer* trailer);
  std::shared_ptr<const void> InSharedMemory(const codec::Buffer& buffer, memory::Place* place);
  std::shared_ptr<const Copy> CopyOf(const codec::Buffer& buffer);
  void OnTrailer(ProcessId from, const FrameTrailer& trailer);
  void Answer(ProcessId from, const FrameTrailer& trailer);
  void SendBare(ProcessId to, FrameTrailer trailer);
  absl::Status Resolve(ProcessId from, const FrameTrailer& trailer, Frame* frame);
  void LoseUnread(ProcessId peer, const absl::Status& why);

  const Options options_;
  const std::unique_ptr<Transport> below_;
  Receiver* receiver_ = nullptr;  // as Start was given it
  memory::Leases leases_;
  const std::shared_ptr<Releases> releases_;
  memory::SpareDescriptor spare_;
  base::Fd probe_;
  std::string nonce_;  // what the probe contains
  std::atomic<bool> closed_ = false;

  PeerMap<Peer> peers_;
  base::Mutex mutex_;
  std::vector<Copied> copied_ ABSL_GUARDED_BY(mutex_);
  size_t next_copied_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace twinkle::rpc

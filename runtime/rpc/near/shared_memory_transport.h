// Large parts of what processes on one machine send each other do not travel: the receiver maps them.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <memory>

#include "runtime/base/executor.h"
#include "runtime/base/process_mark.h"
#include "runtime/rpc/near/near_word.h"
#include "runtime/rpc/near/probe.h"
#include "runtime/rpc/near/releases.h"
#include "runtime/rpc/near/shared_buffers.h"
#include "runtime/rpc/peer_map.h"
#include "runtime/rpc/traffic.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// A transport over another one. Peers that can map this process's memory (each is asked, with the first frame to it)
// are sent places in it instead of buffers from `shared_bytes` on; what is not in shared memory is copied into it, once
// for all peers, but for values on disk: they get the bytes, or this process would have in memory what did not fit
// there. Others get the bytes. The receiver's buffers refer to the sender's memory, which stays as it is until they are
// gone there. Invariants, besides the transport's own and those of shared_buffers.h:
//  M5 it is the transport below that loses a peer, for whatever reason, and tells both sides: no layer has one that
//     another has lost.
// Thread-safe.
class SharedMemoryTransport final : public Transport, public Receiver {
 public:
  struct Options {
    ProcessId self = kProgram;
    IsNear is_near = [](ProcessId) { return true; };
    SharedBuffers::Options buffers = {};
    std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
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
  size_t lease_count() const { return buffers_.lease_count(); }

 private:
  struct Peer {
    std::atomic<bool> asked = false;
    std::atomic<bool> shares = false;  // it can map what this process has
    std::atomic<bool> lost = false;    // nothing is sent to it, nor taken from it
    base::Mutex mutex;
    base::ProcessMark reader ABSL_GUARDED_BY(mutex);  // the process that maps what this one has, as that says
    std::shared_ptr<const PeerMemory> memory ABSL_GUARDED_BY(mutex);  // null: a probe has not shown that it can be read
    absl::Status why ABSL_GUARDED_BY(mutex);                          // it is lost
    bool told ABSL_GUARDED_BY(mutex) = false;                         // that it is, by the transport below
  };

  void OnWord(ProcessId from, const NearWord& word);
  void Answer(ProcessId from, const Hello& hello);
  void Say(ProcessId to, NearWord word);
  absl::Status Resolve(ProcessId from, const NearWord& word, Frame* frame);
  void LoseUnread(ProcessId peer, const absl::Status& why);

  const Options options_;
  const std::unique_ptr<Transport> below_;
  Receiver* receiver_ = nullptr;  // as Start was given it
  const std::shared_ptr<Releases> releases_;
  SharedBuffers buffers_;
  const Probe probe_;
  std::atomic<bool> closed_ = false;
  PeerMap<Peer> peers_;
};

}  // namespace twinkle::rpc

// NearTransport: frames between processes of one machine go through shared memory, and their large parts are not
// copied.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/executor.h"
#include "runtime/base/wait_helper.h"
#include "runtime/rpc/near/near_word.h"
#include "runtime/rpc/near/neighbour.h"
#include "runtime/rpc/near/probe.h"
#include "runtime/rpc/near/releases.h"
#include "runtime/rpc/near/rings.h"
#include "runtime/rpc/near/shared_buffers.h"
#include "runtime/rpc/peers.h"
#include "runtime/rpc/traffic.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// A transport for neighbours, which are processes of one machine. It works over another transport, "below". That
// introduces the processes, carries the first frames, tells who is lost, and carries everything for peers that cannot
// map this process's memory (on other machines, in other containers). With its first frame a process sends Hello. A
// peer that can read this process's memory is sent places in it instead of large buffers (shared_buffers.h). Once both
// have mapped each other's rings (rings.h), each stream is switched: a word ends it on the transport below, and it goes
// on in its ring. A peer of which nothing can be mapped is served below; that is no error. Thread-safe. Invariants,
// besides the transport's own:
//  NT1 a stream's frames go below up to the word that switches it, and after that through its ring;
//  NT2 what is in the rings of a process that died is delivered before its loss is told;
//  NT3 only the transport below loses a peer, for whatever reason, and tells both sides;
//  NT4 a peer's word that makes no sense ends the connection to that peer, and nothing else.
class NearTransport final : public Transport, public Receiver {
 public:
  struct Options {
    ProcessId self = kProgram;
    IsNear is_near = [](ProcessId) { return true; };
    std::optional<Poller::Options> polling = Poller::Options{};  // absent: the transport has no rings
    SharedBuffers::Options buffers = {};
    std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
  };
  // `executor` must outlive the transport.
  NearTransport(Options options, base::Executor* executor, std::unique_ptr<Transport> below);
  ~NearTransport() override;

  // Transport. Start also makes the shared memories trim themselves on the queue. Close may be called from a task of
  // the queue.
  void Start(Receiver* receiver, base::TaskQueue* queue) override;
  absl::Status Send(ProcessId to, Stream stream, Frame frame) override;
  void Lose(ProcessId peer, const absl::Status& why) override;
  void Close() override;
  // Receiver of the transport below; confined to the queue.
  void OnFrame(ProcessId from, Stream stream, Frame frame) override;
  void OnLost(ProcessId peer, const absl::Status& why) override;

  // The helper in which threads of this process wait; null: there are no rings.
  std::shared_ptr<base::WaitHelper> helper() const { return rings_.helper(); }
  const Traffic& traffic() const { return *options_.traffic; }
  // The number of frames that were sent through rings.
  uint64_t frames_in_rings() const { return frames_in_rings_; }
  // The number of leases, which keep buffers for the peers that map them.
  size_t lease_count() const { return buffers_.lease_count(); }

 private:
  Neighbour& NeighbourOf(ProcessId peer);
  // The links of all neighbours, for the rings.
  std::vector<std::pair<ProcessId, RingLink*>> Links();
  // Sends Hello if the peer may be near.
  void Greet(ProcessId to, Neighbour& neighbour);
  // Sends a word below, on the control stream: for words that introduce, before there are rings.
  void SendBelow(ProcessId to, NearWord word);
  // Sends a frame through the ring, or below.
  absl::Status SendFrame(Neighbour& neighbour, Stream stream, Frame frame);
  // Sends a word by itself, as SendFrame does.
  void SendWord(ProcessId to, NearWord word);

  // Confined to the queue.
  void Receive(ProcessId from, Stream stream, Frame frame);
  absl::Status ReceiveWord(ProcessId from, Stream stream, const NearWord& word, Frame* frame);
  void ReceiveHello(ProcessId from, Neighbour& neighbour, const Hello& hello);
  absl::Status Resolve(ProcessId from, const Neighbour& neighbour, const NearWord& word, Frame* frame);
  void EndPeer(ProcessId peer);

  // Confined to the thread that polls; LoseUnread may be called on any thread.
  void OnRingFrames(ProcessId from, Stream stream, std::vector<Frame> frames);
  void OnDrained(ProcessId peer);
  void LoseUnread(ProcessId peer, const absl::Status& why);

  const Options options_;
  const std::unique_ptr<Transport> below_;
  Receiver* receiver_ = nullptr;  // null before Start; until then nothing is received
  base::TaskQueue* queue_ = nullptr;
  const std::shared_ptr<std::atomic<bool>> open_ = std::make_shared<std::atomic<bool>>(true);
  std::atomic<uint64_t> frames_in_rings_ = 0;
  Peers<Neighbour> neighbours_;
  const std::shared_ptr<Releases> releases_;
  SharedBuffers buffers_;
  const Probe probe_;
  Rings rings_;  // last, because it polls as soon as it is constructed
};

}  // namespace twinkle::rpc

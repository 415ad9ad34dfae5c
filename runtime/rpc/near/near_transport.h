// Between processes of one machine frames go through memory, and their large parts not at all.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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

// A transport over another one, which introduces the processes, carries the first frames, says who is lost, and carries
// everything to those that cannot map this process's memory (other machines, other containers). With its first frame a
// process says Hello. A peer that can read this process's memory is sent places in it instead of large buffers
// (shared_buffers.h); once each has mapped the other's rings (rings.h), each stream ends on the transport below with a
// word that says so, and goes on in its ring. Invariants, besides the transport's own:
//  NT1 a stream's frames go below until the word that it goes on in its ring, and there after it;
//  NT2 what is in the rings of a process that died is delivered before its loss is told;
//  NT3 it is the transport below that loses a peer, for whatever reason, and tells both sides;
//  NT4 what a peer says that makes no sense ends the connection to it, and nothing else.
// Thread-safe.
class NearTransport final : public Transport, public Receiver {
 public:
  struct Options {
    ProcessId self = kProgram;
    IsNear is_near = [](ProcessId) { return true; };
    std::optional<Poller::Options> polling = Poller::Options{};  // absent: it has no rings
    SharedBuffers::Options buffers = {};
    std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
  };
  // `executor` outlives it.
  NearTransport(Options options, base::Executor* executor, std::unique_ptr<Transport> below);
  ~NearTransport() override;

  // Transport. What the memories want done later is done on the queue, too. Close may be called from a task of it.
  void Start(Receiver* receiver, base::TaskQueue* queue) override;
  absl::Status Send(ProcessId to, Stream stream, Frame frame) override;
  void Lose(ProcessId peer, const absl::Status& why) override;
  void Close() override;
  // Receiver, of the transport below
  void OnFrame(ProcessId from, Stream stream, Frame frame) override;
  void OnLost(ProcessId peer, const absl::Status& why) override;

  // With which threads of this process wait. Null: there are no rings here.
  std::shared_ptr<base::WaitHelper> helper() const { return rings_.helper(); }
  const Traffic& traffic() const { return *options_.traffic; }
  // Frames sent through rings.
  uint64_t frames_in_rings() const { return frames_in_rings_; }
  // Held now, of what others map.
  size_t lease_count() const { return buffers_.lease_count(); }

 private:
  Neighbour& NeighbourOf(ProcessId peer);
  void Greet(ProcessId to, Neighbour& neighbour);
  void Say(ProcessId to, NearWord word);  // below, before there are rings
  // Through the ring, or below.
  absl::Status Pass(Neighbour& neighbour, Stream stream, Frame frame);
  void PassWord(ProcessId to, NearWord word);

  // On the queue.
  void Take(ProcessId from, Stream stream, Frame frame);
  absl::Status OnWord(ProcessId from, Stream stream, const NearWord& word, Frame* frame);
  absl::Status Resolve(ProcessId from, const Neighbour& neighbour, const NearWord& word, Frame* frame);
  void EndPeer(ProcessId peer);

  // On the thread that polls.
  void OnRingFrames(ProcessId from, Stream stream, std::vector<Frame> frames);
  void OnDrained(ProcessId peer);
  void LoseUnread(ProcessId peer, const absl::Status& why);

  const Options options_;
  const std::unique_ptr<Transport> below_;
  Receiver* receiver_ = nullptr;  // as Start was given it; before there is nobody to hear from
  base::TaskQueue* queue_ = nullptr;
  const std::shared_ptr<std::atomic<bool>> open_ = std::make_shared<std::atomic<bool>>(true);
  std::atomic<uint64_t> frames_in_rings_ = 0;
  Peers<Neighbour> neighbours_;
  const std::shared_ptr<Releases> releases_;
  SharedBuffers buffers_;
  const Probe probe_;
  Rings rings_;  // last: it polls from its beginning
};

}  // namespace twinkle::rpc

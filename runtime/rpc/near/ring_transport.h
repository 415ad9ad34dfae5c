// Between processes of one machine frames go through memory, and no kernel is asked.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <memory>
#include <vector>

#include "runtime/base/executor.h"
#include "runtime/rpc/near/ring_link.h"
#include "runtime/rpc/near/rings.h"
#include "runtime/rpc/peer_map.h"
#include "runtime/rpc/traffic.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// A transport over another one, which introduces the processes, carries the first frames, says who is lost, and carries
// everything to those that cannot map this process's memory (other machines, other containers). With its first frame a
// process offers its peer a pair of rings; once each has mapped the other's, each stream ends on the transport below
// with a word that says so, and goes on in its ring. Invariants, besides the transport's own and those of rings.h:
//  R1 frames of a stream are read from the ring only after that word has come;
//  R3 it is the transport below that loses a peer, for whatever reason, and tells both sides: no layer has one that
//     another has lost.
// Thread-safe.
class RingTransport final : public Transport, public Receiver {
 public:
  struct Options {
    ProcessId self = kProgram;
    Poller::Options polling = {};
    IsNear is_near = [](ProcessId) { return true; };
    std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
  };

  RingTransport(Options options, std::unique_ptr<Transport> below);
  ~RingTransport() override;

  // Transport. Close not from within a task of the queue.
  void Start(Receiver* receiver, base::TaskQueue* queue) override;
  absl::Status Send(ProcessId to, Stream stream, Frame frame) override;
  void Lose(ProcessId peer, const absl::Status& why) override;
  void Close() override;
  // Receiver, of the transport below
  void OnFrame(ProcessId from, Stream stream, Frame frame) override;
  void OnLost(ProcessId peer, const absl::Status& why) override;

  // With which threads of this process wait. Null: there are no rings here.
  std::shared_ptr<base::WaitHelper> helper() const { return rings_.helper(); }
  // Frames sent through rings.
  uint64_t frames_sent() const { return frames_; }

 private:
  RingLink& LinkTo(ProcessId peer);
  void Offer(ProcessId to, RingLink& link);
  void Say(ProcessId to, const RingWord& word);
  void LoseUnread(ProcessId peer, const absl::Status& why);
  absl::Status OnWord(ProcessId from, Stream stream, const RingWord& word);
  void Deliver(ProcessId from, Stream stream, std::vector<Frame> frames);
  void TellLoss(ProcessId peer);

  const Options options_;
  const std::unique_ptr<Transport> below_;
  Receiver* receiver_ = nullptr;  // as Start was given it; before there is nobody to poll for
  base::TaskQueue* queue_ = nullptr;
  const std::shared_ptr<std::atomic<bool>> open_ = std::make_shared<std::atomic<bool>>(true);
  std::atomic<uint64_t> frames_ = 0;
  PeerMap<RingLink> links_;
  Rings rings_;
};

}  // namespace twinkle::rpc

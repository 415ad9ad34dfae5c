// GrpcPeer: what GrpcTransport knows of one peer.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/rpc/grpc/conversation.h"
#include "runtime/rpc/grpc/grpc_transport.h"
#include "runtime/rpc/grpc/machine_probe.h"
#include "runtime/rpc/grpc/redial.h"

namespace twinkle::rpc {

// One incarnation of a peer process, from when it is first named until the transport is closed. Its state decides what
// happens to its connections; grpc_transport_ends.cc does it. For one thread at a time: guarded by the transport's
// lock. Invariants:
//  GP1 a peer that is lost stays lost: nothing is sent to it, and nothing taken from it;
//  GP2 the introducer is asked once, until it has answered.
class GrpcPeer {
 public:
  enum class State : uint8_t {
    kNew,     // there was no connection yet
    kOpen,    // the peer has answered on a connection for each stream
    kBroken,  // a stream has no connection: Mend is called again and again until it has one, or the peer is lost
    kLost,    // this side has given it up, or its end was told
  };
  // What is known of where it is.
  enum class Whereabouts : uint8_t {
    kUnknown,
    kAsked,  // the introducer was asked
    kKnown,
  };

  GrpcPeer(ProcessId id, const Redial::Limits& limits) : redial(limits), id_(id) {}

  State state() const { return state_; }
  bool lost() const { return state_ == State::kLost; }
  bool broken() const { return state_ == State::kBroken; }
  // Changes the state; the only place that does. False: the state stays, for nothing follows on kLost, and kNew on
  // nothing.
  bool To(State next);

  bool known() const { return whereabouts_ == Whereabouts::kKnown; }
  // REQUIRES: known().
  const GrpcTransport::Introduction& introduction() const { return introduction_; }
  // Sets where the peer is. An introduction without a target is ignored.
  void Introduce(GrpcTransport::Introduction introduction);
  // Whether the introducer must be asked: true for the first who wants to know, unless the place is known.
  bool Ask();
  // The introducer has not found the peer; it may be asked again.
  void AskedInVain();

  // Whether there is a connection for each stream, or an attempt at one.
  bool carried() const { return talk.carried(Stream::kData) && talk.carried(Stream::kControl); }

  // State of the peer's connections, which the transport keeps here.
  std::shared_ptr<grpc::Channel> channel;
  Conversation talk;
  uint64_t life = 0;    // the peer's identity: tells it from all processes that ever had its id; 0: not known yet
  std::string address;  // of its machine, by the last connection
  Redial redial;
  bool mend_is_due = false;           // a timer for Mend runs
  std::optional<MachineProbe> probe;  // only while the peer is broken
  absl::Status why;                   // why it is lost, or why its connection broke
  // False: frames of it are no longer delivered.
  std::shared_ptr<std::atomic<bool>> open = std::make_shared<std::atomic<bool>>(true);

 private:
  const ProcessId id_;
  State state_ = State::kNew;
  Whereabouts whereabouts_ = Whereabouts::kUnknown;
  GrpcTransport::Introduction introduction_;
};

}  // namespace twinkle::rpc

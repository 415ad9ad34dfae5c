// A peer of the transport between machines.
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

// One incarnation of a process: what this side knows of it, from the first word about it until the transport is closed.
// What happens to its connections follows from its state; grpc_transport_ends.cc does it. Not thread-safe: the
// transport's lock. Invariants:
//  GP1 a peer that is lost stays lost: nothing is sent to it, and nothing taken from it;
//  GP2 the introducer is asked once, until it has answered.
class GrpcPeer {
 public:
  enum class State : uint8_t {
    kNew,     // there was no connection yet
    kOpen,    // the peer has answered on a connection for each stream
    kBroken,  // a stream is without a connection: Look is called again and again until there is one, or it is lost
    kLost,    // given up here, or its end was told
  };
  // Where it is.
  enum class Whereabouts : uint8_t {
    kUnknown,
    kAsked,  // the introducer is to say
    kKnown,
  };

  GrpcPeer(ProcessId id, const Redial::Limits& limits) : redial(limits), id_(id) {}

  State state() const { return state_; }
  bool lost() const { return state_ == State::kLost; }
  bool broken() const { return state_ == State::kBroken; }
  // The only place where the state changes. Whether it does: nothing follows on kLost, and kNew on nothing.
  bool To(State next);

  bool known() const { return whereabouts_ == Whereabouts::kKnown; }
  // REQUIRES: known().
  const GrpcTransport::Introduction& introduction() const { return introduction_; }
  // One without a target says nothing new.
  void Introduce(GrpcTransport::Introduction introduction);
  // Whether the introducer is to be asked: true for the first who wants to know, unless it is known.
  bool Ask();
  // The introducer does not know, yet.
  void AskedInVain();

  // Whether there is a connection for each stream, or an attempt at one.
  bool carried() const { return talk.carried(Stream::kData) && talk.carried(Stream::kControl); }

  // The rest the transport keeps here.
  std::shared_ptr<grpc::Channel> channel;
  Conversation talk;
  uint64_t life = 0;    // which process it is, of all that ever had the id; 0: not known
  std::string address;  // of its machine, as of the last connection
  Redial redial;
  bool look_is_due = false;           // a timer runs
  std::optional<MachineProbe> probe;  // while it is broken
  absl::Status why;                   // it is lost, or its connection broke
  std::shared_ptr<std::atomic<bool>> open = std::make_shared<std::atomic<bool>>(true);  // it may be heard

 private:
  const ProcessId id_;
  State state_ = State::kNew;
  Whereabouts whereabouts_ = Whereabouts::kUnknown;
  GrpcTransport::Introduction introduction_;
};

}  // namespace twinkle::rpc

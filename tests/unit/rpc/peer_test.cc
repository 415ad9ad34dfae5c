// What becomes of a peer and of its connection, and who is asked where it is. Numbers are those of the invariants in
// peer.h.
#include "runtime/rpc/grpc/peer.h"

#include <vector>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

using State = GrpcPeer::State;

constexpr State kStates[] = {State::kNew, State::kOpen, State::kBroken, State::kLost};

GrpcPeer PeerIn(State state) {
  GrpcPeer peer(7, {});
  peer.To(state);
  return peer;
}

TEST_CASE("GP1: each state follows on each but itself, kNew on none, and none on kLost") {
  for (const State from : kStates) {
    for (const State to : kStates) {
      GrpcPeer peer = PeerIn(from);
      const bool follows = from != State::kLost && to != from && to != State::kNew;
      CHECK(peer.To(to) == follows);
      CHECK(peer.state() == (follows ? to : from));
      CHECK(peer.broken() == (peer.state() == State::kBroken));
      CHECK(peer.lost() == (peer.state() == State::kLost));
    }
  }
}

TEST_CASE("a peer's machine is asked while the connection is broken, and each break begins anew") {
  GrpcPeer peer(7, {.silence = absl::Seconds(2)});
  for (const State after : {State::kOpen, State::kLost}) {
    peer.To(State::kBroken);
    CHECK(peer.redial.Pause() == absl::Milliseconds(10));
    peer.redial.Decide(Redial::Machine::kSilent, /*dialling=*/true);
    peer.probe.emplace("127.0.0.1:1");
    peer.To(after);
    CHECK_FALSE(peer.probe.has_value());
  }
}

TEST_CASE("GP2: the introducer is asked by the first who wants to know, until it has answered") {
  GrpcPeer peer = PeerIn(State::kNew);
  CHECK(peer.Ask());
  CHECK_FALSE(peer.Ask());
  peer.AskedInVain();
  CHECK(peer.Ask());
  peer.Introduce({});  // by somebody who does not know either
  CHECK_FALSE(peer.known());
  CHECK_FALSE(peer.Ask());
  peer.Introduce({"127.0.0.1:7", "ticket"});
  peer.AskedInVain();  // late
  CHECK(peer.known());
  CHECK_FALSE(peer.Ask());
  CHECK(peer.introduction().target == "127.0.0.1:7");
}

TEST_CASE("GP2: where a peer is, is asked whatever has become of its connection") {
  GrpcPeer peer = PeerIn(State::kBroken);
  CHECK(peer.Ask());
  peer.To(State::kOpen);
  CHECK_FALSE(peer.Ask());
}

}  // namespace
}  // namespace twinkle::rpc

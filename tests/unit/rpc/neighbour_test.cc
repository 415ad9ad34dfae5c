#include "runtime/rpc/near/neighbour.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"
#include "tests/support/fake_shared_memory.h"

namespace twinkle::rpc {
namespace {

using NeighbourState = Neighbour::State;

// What a process has for its neighbours, and one of them. Nobody polls: the rings are looked at by hand.
struct Home {
  explicit Home(bool has_rings = true)
      : rings(has_rings ? std::optional(Poller::Options{}) : std::nullopt,
              {[] { return size_t{0}; }, [] { return Links(); }}, {}) {}
  using Links = std::vector<std::pair<ProcessId, RingLink*>>;

  // In the ring, rather than below.
  bool SendsInRing(Stream stream) {
    size_t in_ring = 0;
    CHECK(peer.link().Send(stream, Frame{"text", {}}, Frame{"switched", {}}, &in_ring).ok());
    return in_ring > 0;
  }

  base::SteppedExecutor executor;
  memory::FakeMachine machine;
  const std::shared_ptr<Releases> releases = std::make_shared<Releases>(&executor, "release");
  SharedBuffers buffers{{.memories = {machine.Start(::getpid())}}, releases, std::make_shared<Traffic>()};
  Probe probe;
  Rings rings;
  std::vector<std::string> below;
  Neighbour peer{[this](Stream, Frame frame) {
                   below.push_back(frame.head);
                   return absl::OkStatus();
                 },
                 0};
};

TEST_CASE("two neighbours say Hello once each, in whatever order it comes, and then read each other (NB1, NB2)") {
  Home a;
  Home b;
  const auto hello_a = a.peer.Greet(true, a.probe, a.rings);
  REQUIRE(hello_a);
  REQUIRE(hello_a->rings);
  CHECK(a.peer.state() == NeighbourState::kAsked);
  CHECK_FALSE(a.peer.Greet(true, a.probe, a.rings));
  std::optional<Hello> hello_b;
  HelloAnswer from_a;
  HelloAnswer from_b;
  SECTION("one after the other") {
    from_b = b.peer.OnHello(*hello_a, b.rings, &b.buffers);
    hello_b = b.peer.Greet(true, b.probe, b.rings);
    a.peer.OnAnswer(from_b);
    CHECK(a.peer.state() == NeighbourState::kNear);
    CHECK_FALSE(a.SendsInRing(Stream::kData));  // it has not mapped the other's
    from_a = a.peer.OnHello(hello_b.value(), a.rings, &a.buffers);
    b.peer.OnAnswer(from_a);
  }
  SECTION("crossing") {
    hello_b = b.peer.Greet(true, b.probe, b.rings);
    from_b = b.peer.OnHello(*hello_a, b.rings, &b.buffers);
    from_a = a.peer.OnHello(hello_b.value(), a.rings, &a.buffers);
    CHECK(a.peer.state() == NeighbourState::kAsked);
    CHECK_FALSE(a.SendsInRing(Stream::kData));
    a.peer.OnAnswer(from_b);
    b.peer.OnAnswer(from_a);
  }
  for (Home* home : {&a, &b}) {
    CHECK(home->peer.state() == NeighbourState::kNear);
    CHECK(home->peer.memory() != nullptr);
    home->below.clear();
    CHECK(home->SendsInRing(Stream::kData));
    CHECK(home->below == std::vector<std::string>{"switched"});
  }
  CHECK(a.peer.OnSwitched(Stream::kData).ok());
  CHECK(absl::IsFailedPrecondition(a.peer.OnSwitched(Stream::kData)));  // once
}

TEST_CASE("who refuses the rings may read memory all the same, and who reads nothing is far (NB2)") {
  Home a;
  a.peer.Greet(true, a.probe, a.rings);
  SECTION("it reads") {
    a.peer.OnAnswer({::getpid(), true, false});
    CHECK(a.peer.state() == NeighbourState::kNear);
  }
  SECTION("it does not") {
    a.peer.OnAnswer({::getpid(), false, false});
    CHECK(a.peer.state() == NeighbourState::kFar);
    a.peer.OnAnswer({::getpid(), true, true});  // it has answered
    CHECK(a.peer.state() == NeighbourState::kFar);
  }
  SECTION("it says that it does, and has ended") {
    a.peer.OnAnswer({0, true, false});
    CHECK(a.peer.state() == NeighbourState::kFar);
  }
  CHECK_FALSE(a.SendsInRing(Stream::kData));
  CHECK(absl::IsFailedPrecondition(a.peer.OnSwitched(Stream::kData)));
}

TEST_CASE("who was not asked has answered nothing; who is on another machine is not asked") {
  Home a;
  a.peer.OnAnswer({::getpid(), true, true});
  CHECK(a.peer.state() == NeighbourState::kStranger);
  CHECK_FALSE(a.peer.Greet(false, a.probe, a.rings));
  CHECK(a.peer.state() == NeighbourState::kFar);
  CHECK_FALSE(a.peer.Greet(true, a.probe, a.rings));
}

TEST_CASE("a Hello with another secret, or without rings, is answered with what is true of it (NB1)") {
  Home a;
  Home b(/*has_rings=*/false);
  auto hello = *b.peer.Greet(true, b.probe, b.rings);
  CHECK_FALSE(hello.rings);
  HelloAnswer answer = a.peer.OnHello(hello, a.rings, &a.buffers);
  CHECK(answer.readable);
  CHECK_FALSE(answer.rings);
  Home c;
  hello.nonce.back() ^= 1;
  answer = c.peer.OnHello(hello, c.rings, &c.buffers);
  CHECK_FALSE(answer.readable);
  CHECK(c.peer.memory() == nullptr);
}

TEST_CASE("a loss is final in each state, and its first reason counts (NB3)") {
  Home a;
  Home b;
  const auto hello = *b.peer.Greet(true, b.probe, b.rings);
  SECTION("of a stranger") {}
  SECTION("of one that was asked") { a.peer.Greet(true, a.probe, a.rings); }
  SECTION("of one that is near") {
    a.peer.Greet(true, a.probe, a.rings);
    a.peer.OnAnswer({::getpid(), true, false});
    CHECK(a.peer.OnHello(hello, a.rings, &a.buffers).readable);
  }
  a.peer.OnLost(absl::UnavailableError("it has ended"));
  CHECK(a.peer.state() == NeighbourState::kGone);
  CHECK(a.peer.is_over());
  CHECK_FALSE(a.peer.OnHello(hello, a.rings, &a.buffers).readable);
  CHECK(absl::IsFailedPrecondition(a.peer.OnSwitched(Stream::kData)));
  a.peer.Lose(absl::UnavailableError("it talks nonsense"));
  CHECK(a.peer.state() == NeighbourState::kLost);
  a.peer.OnLost(absl::UnavailableError("it has ended"));
  CHECK(a.peer.state() == NeighbourState::kLost);
  CHECK(a.peer.why().message() == "it has ended");
  a.peer.LetGo();
  CHECK(a.peer.memory() == nullptr);
  CHECK_FALSE(a.peer.Greet(true, a.probe, a.rings));
  a.peer.OnAnswer({::getpid(), true, true});
  CHECK(a.peer.state() == NeighbourState::kLost);
}

}  // namespace
}  // namespace twinkle::rpc

#include "runtime/rpc/conversation.h"

#include <memory>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

constexpr Stream kData = Stream::kData;
constexpr Stream kControl = Stream::kControl;

// A connection that keeps what it is given.
class FakeLink final : public FrameLink {
 public:
  void Begin(uint64_t number) override { first = number; }
  void Write(const Frame& frame) override { written.push_back(frame.head); }
  void Acknowledge() override { ++acknowledged; }
  void Cancel() override { cancelled = true; }
  std::string Address() const override { return ""; }

  uint64_t first = 0;
  std::vector<std::string> written;
  int acknowledged = 0;
  bool cancelled = false;
};
using Texts = std::vector<std::string>;

std::shared_ptr<FakeLink> AddLink(Conversation& talk, Stream stream = kData, bool works = false, bool broken = false) {
  auto link = std::make_shared<FakeLink>();
  talk.Add(stream, link, works, broken);
  return link;
}

TEST_CASE("what is said before there is a connection goes to the first that there is, and only there (V1)") {
  Conversation talk;
  talk.Say(kData, {"1", {}});
  CHECK(talk.has_unsaid(kData));
  const auto first = AddLink(talk);
  const auto second = AddLink(talk);
  talk.Say(kData, {"2", {}});
  CHECK(first->first == 1);
  CHECK(first->written == Texts{"1", "2"});
  CHECK(second->first == 0);
  CHECK(second->written.empty());
}

TEST_CASE("when a connection ends the next goes on from what the peer has acknowledged (V1, V3)") {
  Conversation talk;
  const auto first = AddLink(talk);
  const auto second = AddLink(talk);
  for (const char* text : {"1", "2", "3"}) talk.Say(kData, {text, {}});
  std::vector<Frame> freed;
  REQUIRE(talk.OnAcknowledged(kData, 1, &freed).ok());
  CHECK(freed.size() == 1);
  talk.Remove(first);
  CHECK(second->first == 2);
  CHECK(second->written == Texts{"2", "3"});
  talk.Remove(second);
  CHECK_FALSE(talk.carried(kData));
  talk.Say(kData, {"4", {}});
  REQUIRE(talk.OnAcknowledged(kData, 2, &freed).ok());
  const auto third = AddLink(talk);
  CHECK(third->first == 3);
  CHECK(third->written == Texts{"3", "4"});
}

TEST_CASE("a connection on which the peer has answered takes over from an attempt, once the others broke") {
  Conversation talk;
  talk.Say(kData, {"1", {}});
  const auto attempt = AddLink(talk, kData, false, /*broken=*/true);
  CHECK(attempt->written == Texts{"1"});
  const auto whole = AddLink(talk, kData, /*works=*/true, /*broken=*/false);
  CHECK(whole->written.empty());  // both sides have just begun
  const auto again = AddLink(talk, kData, /*works=*/true, /*broken=*/true);
  CHECK(again->written == Texts{"1"});
  CHECK_FALSE(attempt->cancelled);
  talk.Remove(attempt);
  CHECK(again->written == Texts{"1"});
  talk.Remove(again);
  CHECK(whole->written == Texts{"1"});
}

TEST_CASE("it is whole when both streams have a connection that works") {
  Conversation talk;
  const auto data = AddLink(talk);
  const auto control = AddLink(talk, kControl);
  CHECK_FALSE(talk.complete());
  talk.Works(kData, data);
  CHECK_FALSE(talk.complete());
  talk.Works(kControl, control);
  CHECK(talk.complete());
  talk.Remove(data);
  CHECK_FALSE(talk.complete());
  CHECK(talk.links().size() == 1);
}

TEST_CASE("each frame is heard once, whatever connection brings it (V2)") {
  Conversation talk;
  std::vector<Frame> frames = {{"1", {}}, {"2", {}}};
  REQUIRE(talk.Hear(kData, 1, &frames).ok());
  CHECK(frames.size() == 2);
  CHECK(talk.arrivals(kData)->last == 2);
  frames = {{"2", {}}, {"3", {}}};
  REQUIRE(talk.Hear(kData, 2, &frames).ok());
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].head == "3");
  frames = {{"1", {}}};
  REQUIRE(talk.Hear(kControl, 1, &frames).ok());  // the streams have numbers of their own
  CHECK(frames.size() == 1);
  CHECK(talk.heard(kData) == 3);
  CHECK(talk.heard(kControl) == 1);
}

TEST_CASE("arrivals are acknowledged soon, much at once, and anew on another connection") {
  Conversation talk;
  const auto link = AddLink(talk);
  link->acknowledged = 0;
  std::vector<Frame> frames = {{"1", {}}};
  REQUIRE(talk.Hear(kData, 1, &frames).ok());
  CHECK(talk.AcknowledgeSoon(kData));
  CHECK_FALSE(talk.AcknowledgeSoon(kData));  // somebody is to call already
  CHECK(link->acknowledged == 0);
  talk.Acknowledge(kData);
  CHECK(link->acknowledged == 1);
  frames.assign(100, {"x", {}});
  REQUIRE(talk.Hear(kData, 2, &frames).ok());
  CHECK_FALSE(talk.AcknowledgeSoon(kData));
  CHECK(link->acknowledged == 2);
  talk.arrivals(kData)->told = 101;
  talk.Remove(link);
  CHECK(AddLink(talk)->acknowledged == 1);
  CHECK(talk.arrivals(kData)->told == 0);
}

TEST_CASE("what was told on a connection that ended is told again on the one that carries what is said (V3)") {
  Conversation talk;
  const auto carries = AddLink(talk);
  const auto other = AddLink(talk);
  std::vector<Frame> frames = {{"1", {}}};
  REQUIRE(talk.Hear(kData, 1, &frames).ok());
  talk.arrivals(kData)->told = 1;  // by the other, with its greeting
  carries->acknowledged = 0;
  talk.Remove(other);
  CHECK(talk.arrivals(kData)->told == 0);
  CHECK(carries->acknowledged == 1);
}

}  // namespace
}  // namespace twinkle::rpc

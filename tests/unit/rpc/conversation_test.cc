#include "runtime/rpc/grpc/conversation.h"

#include <memory>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

constexpr Stream kData = Stream::kData;
constexpr Stream kControl = Stream::kControl;

// A connection that keeps what it is given, for which it has so much room.
class FakeLink final : public FrameLink {
 public:
  void Begin(uint64_t number) override { first = number; }
  bool Write(const Frame& frame) override {
    written.push_back(frame.head);
    return written.size() % room != 0;
  }
  void Acknowledge() override { ++acknowledged; }
  void Cancel() override { cancelled = true; }
  std::string Address() const override { return ""; }

  uint64_t first = 0;
  size_t room = 1000;
  std::vector<std::string> written;
  int acknowledged = 0;
  bool cancelled = false;
};
using Texts = std::vector<std::string>;

std::shared_ptr<FakeLink> AddLink(Conversation& talk, Stream stream = kData, bool works = true, bool broken = false) {
  auto link = std::make_shared<FakeLink>();
  talk.Add(stream, link, works, broken);
  return link;
}

TEST_CASE("what is said before there is a connection goes to the first that there is, and only there (CV1)") {
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

TEST_CASE("when a connection ends the next goes on from what the peer has acknowledged (CV1, CV3)") {
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

TEST_CASE("attempts at a connection are given nothing, and what is kept is written once, where one is answered (CV4)") {
  Conversation talk;
  for (int i = 0; i < 100; ++i) talk.Say(kData, {"kept", {}});
  std::vector<std::shared_ptr<FakeLink>> failed;
  for (int i = 0; i < 5; ++i) {
    failed.push_back(AddLink(talk, kData, /*works=*/false, /*broken=*/true));
    talk.Say(kData, {"more", {}});
    talk.OnRoom(kData, failed.back());  // whatever it says
    talk.Remove(failed.back());
  }
  const auto answered = AddLink(talk, kData, /*works=*/false, /*broken=*/true);
  CHECK(answered->written.empty());
  talk.Works(kData, answered);
  talk.Works(kData, answered);
  CHECK(answered->first == 1);
  CHECK(answered->written.size() == 105);
  for (const auto& link : failed) CHECK(link->written.empty());
}

TEST_CASE("a connection is given as much as it has room for, in order (CV4)") {
  Conversation talk;
  const auto link = AddLink(talk);
  link->room = 2;
  for (const char* text : {"1", "2", "3", "4", "5"}) talk.Say(kData, {text, {}});
  CHECK(link->written == Texts{"1", "2"});
  talk.OnRoom(kData, link);
  CHECK(link->written == Texts{"1", "2", "3", "4"});
  talk.Say(kData, {"6", {}});
  talk.OnRoom(kData, link);
  talk.OnRoom(kData, link);
  CHECK(link->written == Texts{"1", "2", "3", "4", "5", "6"});
  talk.Say(kData, {"7", {}});
  CHECK(link->written.size() == 7);
}

TEST_CASE("what the peer has by another connection is left out where there was no room for it (CV3, CV4)") {
  Conversation talk;
  const auto link = AddLink(talk);
  link->room = 1;
  for (const char* text : {"1", "2", "3", "4", "5"}) talk.Say(kData, {text, {}});
  std::vector<Frame> freed;
  REQUIRE(talk.OnAcknowledged(kData, 1, &freed).ok());
  CHECK(link->first == 1);  // "2" is next anyway
  REQUIRE(talk.OnAcknowledged(kData, 3, &freed).ok());
  CHECK(link->first == 4);
  talk.OnRoom(kData, link);
  CHECK(link->written == Texts{"1", "4"});
}

TEST_CASE("a connection on which the peer has answered takes over from an attempt, once the others broke") {
  Conversation talk;
  talk.Say(kData, {"1", {}});
  const auto attempt = AddLink(talk, kData, /*works=*/false, /*broken=*/true);
  const auto whole = AddLink(talk, kData, /*works=*/true, /*broken=*/false);
  CHECK(whole->written.empty());  // both sides have just begun
  const auto again = AddLink(talk, kData, /*works=*/true, /*broken=*/true);
  CHECK(again->written == Texts{"1"});
  CHECK_FALSE(attempt->cancelled);
  talk.Works(kData, attempt);
  CHECK(attempt->written.empty());  // it came too late
  talk.Remove(attempt);
  CHECK(again->written == Texts{"1"});
  talk.Remove(again);
  CHECK(whole->written == Texts{"1"});
}

TEST_CASE("it is whole when both streams have a connection that works") {
  Conversation talk;
  const auto data = AddLink(talk, kData, /*works=*/false);
  const auto control = AddLink(talk, kControl, /*works=*/false);
  CHECK_FALSE(talk.complete());
  talk.Works(kData, data);
  CHECK_FALSE(talk.complete());
  talk.Works(kControl, control);
  CHECK(talk.complete());
  talk.Remove(data);
  CHECK_FALSE(talk.complete());
  CHECK(talk.links().size() == 1);
}

TEST_CASE("each frame is heard once, whatever connection brings it (CV2)") {
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

TEST_CASE("what was told on a connection that ended is told again on the one that carries what is said (CV3)") {
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

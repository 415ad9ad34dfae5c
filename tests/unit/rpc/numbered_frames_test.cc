#include "runtime/rpc/grpc/numbered_frames.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

std::vector<Frame> Frames(const std::vector<std::string>& heads) {
  std::vector<Frame> frames;
  for (const std::string& head : heads) frames.push_back({head, {}});
  return frames;
}
std::vector<std::string> Heads(const std::vector<Frame>& frames) {
  std::vector<std::string> heads;
  for (const Frame& frame : frames) heads.push_back(frame.head);
  return heads;
}

TEST_CASE("what was sent is kept until it is acknowledged, in whatever steps") {
  SentFrames sent;
  for (const char* head : {"1", "22", "333"}) sent.Add({head, {}});
  CHECK(sent.bytes() == 6);
  std::vector<Frame> freed;
  REQUIRE(sent.Acknowledge(2, &freed).ok());
  CHECK(Heads(freed) == std::vector<std::string>{"1", "22"});
  CHECK(sent.acknowledged() == 2);
  REQUIRE(sent.Acknowledge(1, &freed).ok());  // said before, and late
  CHECK(freed.size() == 2);
  CHECK(sent.last() == 3);
  CHECK(sent.At(3).head == "333");
  CHECK(absl::IsInvalidArgument(sent.Acknowledge(4, &freed)));
  REQUIRE(sent.Acknowledge(3, &freed).ok());
  CHECK(sent.bytes() == 0);
}

TEST_CASE("what comes twice is dropped, and what is missing is an error") {
  ReceivedFrames received;
  std::vector<Frame> frames = Frames({"1", "2"});
  REQUIRE(received.Take(1, &frames).ok());
  CHECK(Heads(frames) == std::vector<std::string>{"1", "2"});
  frames = Frames({"1", "2", "3"});
  REQUIRE(received.Take(1, &frames).ok());
  CHECK(Heads(frames) == std::vector<std::string>{"3"});
  frames = Frames({"2"});
  REQUIRE(received.Take(2, &frames).ok());
  CHECK(frames.empty());
  frames = Frames({"5"});
  CHECK(absl::IsDataLoss(received.Take(5, &frames)));
  CHECK(received.last() == 3);
}

TEST_CASE("the peer is told at once when much has come") {
  ReceivedFrames received;
  std::vector<Frame> frames = Frames(std::vector<std::string>(63, "x"));
  REQUIRE(received.Take(1, &frames).ok());
  CHECK_FALSE(received.is_much());
  frames = Frames({"x"});
  REQUIRE(received.Take(64, &frames).ok());
  CHECK(received.is_much());
  received.Told();
  CHECK_FALSE(received.is_much());
  frames = Frames({std::string(256 << 10, 'x')});
  REQUIRE(received.Take(65, &frames).ok());
  CHECK(received.is_much());
}

}  // namespace
}  // namespace twinkle::rpc

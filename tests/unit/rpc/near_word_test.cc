#include "runtime/rpc/near/near_word.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/codec/codec.h"
#include "runtime/rpc/protocol.h"
#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

TEST_CASE("a word comes off a frame's head as it was put there") {
  NearWord word;
  word.shared.push_back({.index = 3,
                         .place = memory::SegmentPlace{.segment = 1, .fd = 5, .segment_bytes = 4096, .offset = 64},
                         .bytes = 100,
                         .lease = 9});
  word.released = {1, 2};
  word.unmapped = {{0, 7}};
  word.hello = Hello{11, 4, "nonce", RingOffer{}};
  word.answer = HelloAnswer{12, true, false};
  word.switched = true;
  std::string head = "head";
  AppendWord(word, &head);
  const auto taken = TakeWord(&head);
  REQUIRE(taken.ok());
  REQUIRE(taken->has_value());
  CHECK(head == "head");
  const NearWord& there = **taken;
  REQUIRE(there.shared.size() == 1);
  CHECK(there.shared[0].index == 3);
  CHECK(std::get<memory::SegmentPlace>(there.shared[0].place).offset == 64);
  CHECK(there.shared[0].lease == 9);
  CHECK(there.released == word.released);
  CHECK(there.unmapped.at(0).chunk == 7);
  REQUIRE(there.hello);
  CHECK(there.hello->nonce == "nonce");
  CHECK(there.hello->rings.has_value());
  REQUIRE(there.answer);
  CHECK(there.answer->readable);
  CHECK_FALSE(there.answer->rings);
  CHECK(there.switched);
  CHECK_FALSE(there.bare);
}

TEST_CASE("a word that says nothing costs four bytes") {
  std::string head = "head";
  AppendNoWord(&head);
  CHECK(head.size() == 8);
  const auto taken = TakeWord(&head);
  REQUIRE(taken.ok());
  CHECK_FALSE(taken->has_value());
  CHECK(head == "head");
}

TEST_CASE("what is no word is refused: cut off, without a size, or of no sense") {
  NearWord word;
  word.released = {1, 2, 3};
  Frame frame = BareFrame(std::move(word));
  std::string cut = frame.head.substr(1);
  CHECK(absl::IsInvalidArgument(TakeWord(&cut).status()));
  std::string without_size = "abc";
  CHECK(absl::IsInvalidArgument(TakeWord(&without_size).status()));
  std::string nonsense = std::string(20, '\xff') + std::string("\x14\0\0\0", 4);
  CHECK_FALSE(TakeWord(&nonsense).ok());
  const auto bare = TakeWord(&frame.head);
  REQUIRE(bare.ok());
  CHECK(bare->value().bare);
}

// Who changes the word changes rpc::kProtocol and what stands here; who gives it a member at its end only what stands
// here.
TEST_CASE("what neighbours say to each other is what builds of their protocol know") {
  CHECK(kProtocol == 1);
  CHECK(codec::Fingerprint(internal::kType<NearWord>) == 0x06bc8ed0c8f39699);
}

// A build's that comes later.
struct LongerWord {
  std::vector<SharedBuffer> shared;
  std::vector<uint64_t> released = {5};
  std::vector<UnmappedChunk> unmapped;
  std::optional<Hello> hello;
  std::optional<HelloAnswer> answer;
  bool switched = true;
  bool bare = false;
  std::vector<std::string> more = {"a", "b"};
};

TEST_CASE("what a word of a later build says besides is skipped") {
  const std::string text = codec::Encode(codec::Hold(LongerWord{}))->head;
  const auto size = static_cast<uint32_t>(text.size());
  std::string head = "head" + text + std::string(reinterpret_cast<const char*>(&size), sizeof(size));
  const auto taken = TakeWord(&head);
  REQUIRE(taken.ok());
  CHECK(head == "head");
  CHECK((taken->value().released == std::vector<uint64_t>{5}));
  CHECK(taken->value().switched);
}

}  // namespace
}  // namespace twinkle::rpc

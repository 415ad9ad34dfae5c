#include "runtime/actor/messages.h"

#include <absl/strings/cord.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/random.h"

namespace twinkle::actor {
namespace {

using tests::Below;
using tests::OneIn;
using tests::Random;

// Equal for messages of the same content: the encoding is unique.
std::string BytesOf(const rpc::Frame& frame) {
  std::string bytes = frame.head;
  for (const codec::Buffer& buffer : frame.buffers) {
    bytes.append(reinterpret_cast<const char*>(buffer.data), buffer.size);
  }
  return bytes;
}

absl::StatusOr<Message> Decoded(const rpc::Frame& frame) {
  Message message;
  const absl::Status status = DecodeMessage(frame, &message);
  if (!status.ok()) return status;
  return message;
}

// The message as the receiver has it.
template <class M>
M Received(const M& message) {
  const rpc::Frame frame = EncodeMessage(message);
  absl::StatusOr<Message> decoded = Decoded(frame);
  INFO(decoded.status());
  REQUIRE(decoded.ok());
  REQUIRE(std::holds_alternative<M>(*decoded));
  CHECK((BytesOf(EncodeMessage(*decoded)) == BytesOf(frame)));
  return std::get<M>(*std::move(decoded));
}

ComponentInfo SomeComponent() {
  ComponentInfo info;
  info.id = 5;
  info.name = "policy";
  info.class_name = "rl::Policy";
  info.fingerprint = 0x0123456789abcdef;
  info.group = "policy";
  info.workers = {3, 4};
  info.domain = uint64_t{1} << 63;
  info.domain_workers = {3, 4, 6};
  info.shared_lane = true;
  info.mesh = *DeviceMesh::FromSizes({.dp = 2, .tp = 2});
  info.sync = true;
  return info;
}

PackedValue SomeValue() {
  return Pack(*codec::Encode(codec::Hold(*Tensor::FromVector<float>(std::vector<float>(1000, 0.5F)))));
}

CallMessage SomeCall() {
  CallMessage call;
  call.call = 77;
  call.operation = Operation::kConstruct;
  call.component = 5;
  call.order = {uint64_t{1} << 63, 12, 11};
  call.method = "Generate";
  call.each = true;
  call.keep = false;
  call.arguments.emplace_back(SomeValue());
  call.arguments.emplace_back(
      PlannedArgument{{{{3, 9}, std::vector<codec::Range>{{1, 4}, {0, 2}}}, {{4, 1}, {}}}, {{{1}, 2, {{3, 5}}}}});
  call.arguments.emplace_back(HandleArgument{SomeComponent()});
  LazyArgument lazy;
  lazy.failed = ToWire(absl::NotFoundError("gone"));
  lazy.what = "Policy.Generate [train.cc:7]";
  lazy.sources = {{{3, 9}, {2}, {{codec::RowNode::Kind::kTree, "", -1, 1}, {codec::RowNode::Kind::kList, "ids", 4, 0}}},
                  {{3, 10}, {}, {}, true}};
  lazy.parts = {{{1}, false, {{0, 1, 3}, {1, 0, 1}}}};
  lazy.value = SomeValue();
  call.arguments.emplace_back(std::move(lazy));
  call.file = "train.cc";
  call.line = 7;
  call.lineage = Lineage{{3, 12}, 99, 1'000'000};
  call.maker = 6;
  call.info = {SomeComponent()};
  return call;
}

TEST_CASE("a call with every kind of argument arrives as it was sent") {
  const CallMessage call = Received(SomeCall());
  CHECK(call.call == 77);
  CHECK(call.operation == Operation::kConstruct);
  CHECK(call.order.number == 12);
  CHECK(call.each);
  CHECK_FALSE(call.keep);
  REQUIRE(call.lineage);
  CHECK(call.lineage->parent.number == 12);
  CHECK(call.lineage->time_left_ns == 1'000'000);
  CHECK(call.maker == 6);
  REQUIRE(call.arguments.size() == 4);
  const auto& planned = std::get<PlannedArgument>(call.arguments[1]);
  REQUIRE(planned.pieces.size() == 2);
  CHECK(planned.pieces[0].object == object::ObjectRef{3, 9});
  CHECK(*planned.pieces[0].rows == std::vector<codec::Range>{{1, 4}, {0, 2}});
  CHECK_FALSE(planned.pieces[1].rows);
  CHECK(planned.parts.at(0).order == std::vector<codec::Range>{{3, 5}});
  const auto& lazy = std::get<LazyArgument>(call.arguments[3]);
  CHECK(lazy.sources.at(0).rows.at(1).key == "ids");
  CHECK(lazy.sources.at(1).item);
  CHECK(lazy.parts.at(0).runs == object::Runs{{0, 1, 3}, {1, 0, 1}});
  REQUIRE(call.info.size() == 1);
  CHECK(call.info[0].workers == std::vector<rpc::ProcessId>{3, 4});
  CHECK((*call.info[0].mesh == *DeviceMesh::FromSizes({.dp = 2, .tp = 2})));
  CHECK(*call.info[0].sync);
  CHECK_FALSE(call.info[0].lazy_collect);
}

TEST_CASE("every other message arrives as it was sent") {
  const WireStatus why = ToWire(absl::AbortedError("why"));
  ReplyMessage reply;
  reply.call = 7;
  reply.failure = why;
  reply.object = 9;
  reply.rows = {{codec::RowNode::Kind::kTensor, "", 5, 0}};
  reply.bytes = 4000;
  reply.carried = SomeValue();
  reply.more = false;
  const ReplyMessage answered = Received(reply);
  CHECK(answered.failure->message == "why");
  CHECK(answered.object == 9);
  CHECK(answered.rows == reply.rows);
  CHECK_FALSE(answered.more);
  CHECK(Received(CancelMessage{7, why, true}).why.message == "why");
  CHECK(Received(BegunMessage{7}).call == 7);
  CHECK(Received(ReleasedMessage{5, why}).component == 5);
  CHECK(Received(OrphanedMessage{5, 9}).maker == 9);
  CHECK(Received(LossSeenMessage{5}).process == 5);
  CHECK(Received(AccountQuery{1, true, {3, 4}}).losses_seen == std::vector<rpc::ProcessId>{3, 4});
  const SkipMessage skip = Received(SkipMessage{1, true, {4, 5}});
  CHECK(skip.own);
  CHECK(skip.numbers == std::vector<uint64_t>{4, 5});
  CHECK(Received(GoneMessage{5, why}).component == 5);
  CHECK(Received(PullMessage{1, 2, {.rows = std::vector<codec::Range>{{0, 1}}}}).selection.rows->size() == 1);
  CHECK(Received(PullReply{1, why, SomeValue()}).pull == 1);
  CHECK(Received(RetainMessage{1, 2}).object == 2);
  CHECK(Received(RetainReply{1, why}).token == 1);
  CHECK(Received(ReleaseMessage{{1, 2, 3}}).objects.size() == 3);
  CHECK(Received(NumberRequest{1, 2, {3, 4}}).members == std::vector<rpc::ProcessId>{3, 4});
  CHECK(Received(NumberGrant{1, 2, 3, true}).exclusive);
  CHECK(Received(RecallMessage{9}).domain == 9);
  CHECK(Received(RecalledMessage{1, 2}).next == 2);
  CHECK(Received(LastQuery{1, 2}).caller == 2);
  CHECK(Received(LastReply{1, 2, 3}).last == 3);
  CHECK(Received(AbortMessage{why}).why.message == "why");
}

TEST_CASE("a failure's text of any length is cut where it enters a message, and says so") {
  absl::Status status = absl::UnknownError(std::string(3 << 20, 'x'));
  status.SetPayload("short", absl::Cord("kept"));
  status.SetPayload("long", absl::Cord(std::string(3 << 20, 'y')));
  const absl::Status crossed = FromWire(ToWire(status));
  CHECK(absl::IsUnknown(crossed));
  CHECK(crossed.message().size() < kMostStatusBytes + 100);
  CHECK(absl::EndsWith(crossed.message(), absl::StrCat("… ", (3 << 20) - kMostStatusBytes, " bytes left out")));
  CHECK(crossed.GetPayload("short") == absl::Cord("kept"));
  CHECK_FALSE(crossed.GetPayload("long"));
}

TEST_CASE("a status crosses with code, message and payloads") {
  absl::Status status = absl::DataLossError("the owner is gone");
  status.SetPayload("a", absl::Cord("1"));
  status.SetPayload("b", absl::Cord(std::string("\0\1", 2)));
  CHECK(FromWire(ToWire(status)) == status);
  CHECK(FromWire(ToWire(absl::OkStatus())).ok());
  CHECK(FromWire({0, "a message that OK does not have", {{"a", "1"}}}).ok());
  for (const int32_t code : {-1, 17, 1 << 30, INT32_MIN}) {
    const absl::Status odd = FromWire({code, "odd", {{"a", "1"}}});
    CHECK_FALSE(odd.ok());
    CHECK(std::string(odd.message()) == "odd");
  }
}

TEST_CASE("packing and unpacking an encoded value copies no buffer") {
  const Tensor tensor = *Tensor::FromVector<float>(std::vector<float>(5000, 1));
  const codec::Encoded encoded = *codec::Encode(codec::Hold(tensor));
  const PackedValue packed = Pack(encoded);
  const codec::Encoded unpacked = *Unpack(packed);
  REQUIRE(unpacked.buffers.size() == 1);
  CHECK(unpacked.buffers[0].data == tensor.raw());
  CHECK((unpacked.head == encoded.head));
  const Message message = *Decoded(EncodeMessage(PullReply{1, {}, packed}));
  const codec::Encoded read = *Unpack(std::get<PullReply>(message).value);
  CHECK(read.buffers.at(0).data == tensor.raw());
  CHECK((*codec::DecodeAs<Tensor>(read.head, read.buffers) == tensor));
}

TEST_CASE("a long head is shared by copies, and goes beside the message's own") {
  const codec::Encoded encoded = *codec::Encode(codec::Hold(std::vector<std::vector<int64_t>>(2000, {1, 2})));
  const PackedValue packed = Pack(encoded);
  REQUIRE(encoded.head.size() >= codec::kOutOfBand);
  CHECK(packed.head.empty());
  const rpc::Frame one = EncodeMessage(PullReply{1, {}, packed});
  const rpc::Frame other = EncodeMessage(PullReply{2, {}, packed});
  REQUIRE(one.buffers.size() == 1);
  CHECK(one.buffers[0].data == other.buffers.at(0).data);
  CHECK((Unpack(std::get<PullReply>(*Decoded(one)).value)->head == encoded.head));
}

TEST_CASE("a frame needs nothing of its message once it is made") {
  const std::string text(3 * codec::kOutOfBand, 'x');
  const std::vector<uint64_t> numbers(codec::kOutOfBand, 7);
  const auto frame_of = [](auto message) { return EncodeMessage(message); };  // the message ends here
  const rpc::Frame cancel = frame_of(CancelMessage{1, ToWire(absl::AbortedError(text))});
  const rpc::Frame release = frame_of(ReleaseMessage{numbers});
  CHECK(std::get<CancelMessage>(*Decoded(cancel)).why.message == text);
  CHECK((std::get<ReleaseMessage>(*Decoded(release)).objects == numbers));
}

TEST_CASE("a message that is cut off is taken only between its members, and only if it makes sense so") {
  const rpc::Frame frame = EncodeMessage(SomeCall());
  int taken = 0;
  for (size_t length = 0; length < frame.head.size(); ++length) {
    const absl::StatusOr<Message> cut = Decoded({frame.head.substr(0, length), frame.buffers});
    if (!cut.ok()) continue;
    ++taken;
    CHECK(std::get<CallMessage>(*cut).info.empty());  // its last member
  }
  CHECK(taken <= 12);  // members of a call but the last
  rpc::Frame without{frame.head, {}};
  CHECK_FALSE(Decoded(without).ok());
}

TEST_CASE("thousands of changed and of random messages: a message or a status, never worse") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  Random random(seed);
  const rpc::Frame frame = EncodeMessage(SomeCall());
  for (int i = 0; i < 5000; ++i) {
    rpc::Frame changed = frame;
    for (int changes = 1 + Below(random, 3); changes > 0; --changes) {
      changed.head[random() % changed.head.size()] = static_cast<char>(OneIn(random, 3) ? 0xff : random());
    }
    absl::StatusOr<Message> message = Decoded(changed);
    if (message.ok()) EncodeMessage(*message);
    rpc::Frame noise{std::string(random() % 64, '\0'), {}};
    for (char& byte : noise.head) byte = static_cast<char>(random());
    if (!noise.head.empty()) noise.head[0] = static_cast<char>(Below(random, 20));  // which message
    Decoded(noise).IgnoreError();
  }
}

TEST_CASE("a component whose mesh makes no sense is not taken") {
  const rpc::Frame frame = EncodeMessage(SomeCall());
  // The mesh's first dimension, 2, behind the number of dimensions, 2.
  const std::string shape = {2, 0, 0, 0, 2, 0, 0, 0};
  const size_t at = frame.head.find(shape);
  REQUIRE(at != std::string::npos);
  rpc::Frame changed = frame;
  changed.head[at] = 0;
  CHECK_FALSE(Decoded(changed).ok());
}

}  // namespace
}  // namespace twinkle::actor

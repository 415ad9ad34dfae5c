// What processes of this protocol say to each other.
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/actor/messages.h"
#include "runtime/codec/codec.h"
#include "runtime/rpc/protocol.h"
#include "tests/support/catch.h"

namespace twinkle::actor {
namespace {

using Fingerprints = std::vector<std::pair<std::string, uint64_t>>;

// The messages of protocol 1. Who changes one, adds one or changes their order, changes rpc::kProtocol and what stands
// here; who gives one a member at its end, only what stands here. So does who changes Packet: only ranks of one
// component say that, to each other, and these run one program.
const Fingerprints kMessages = {
    {"CallMessage", 0x4c9164bd37ff3890},     {"ReplyMessage", 0x269a9191d0e43529},
    {"CancelMessage", 0x60a211f404608684},   {"SkipMessage", 0xdf3fbcf1469bd12b},
    {"GoneMessage", 0x55be8f6afe26d345},     {"PullMessage", 0x6a5f78253e2a929a},
    {"PullReply", 0xef8d36148e7e71af},       {"RetainMessage", 0x1969861a8889d53e},
    {"RetainReply", 0x55be8f6afe26d345},     {"ReleaseMessage", 0x10cc148ad5392902},
    {"NumberRequest", 0xbc3618189430cb00},   {"NumberGrant", 0xd3c565ed1d058fc3},
    {"RecallMessage", 0x928cb5312ead2e4e},   {"RecalledMessage", 0x1969861a8889d53e},
    {"LastQuery", 0x1969861a8889d53e},       {"LastReply", 0xfcc5081625e349dc},
    {"AbortMessage", 0x9e24048a6dc1598d},    {"AccountQuery", 0xdf3fbcf1469bd12b},
    {"AccountReply", 0x85bf302f25d316ee},    {"BegunMessage", 0x928cb5312ead2e4e},
    {"ReleasedMessage", 0x55be8f6afe26d345}, {"OrphanedMessage", 0x1969861a8889d53e},
    {"LossSeenMessage", 0x928cb5312ead2e4e}, {"Packet", 0x7d3fdce5fe831e7c},
};

template <size_t... index>
Fingerprints FingerprintsOf(std::index_sequence<index...>) {
  const auto name = [](const internal::Type& type) {
    const std::string whole(type.name);
    return whole.substr(whole.rfind(':') + 1);
  };
  Fingerprints fingerprints;
  (fingerprints.emplace_back(name(internal::kType<std::variant_alternative_t<index, Message>>),
                             codec::Fingerprint(internal::kType<std::variant_alternative_t<index, Message>>)),
   ...);
  return fingerprints;
}

TEST_CASE("what processes say to each other is what builds of their protocol know") {
  CHECK(rpc::kProtocol == 1);
  CHECK(FingerprintsOf(std::make_index_sequence<std::variant_size_v<Message>>()) == kMessages);
}

}  // namespace
}  // namespace twinkle::actor

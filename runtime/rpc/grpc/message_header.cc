#include "runtime/rpc/grpc/message_header.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

namespace twinkle::rpc {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they are in memory");

constexpr uint8_t kCompressed = 1;
constexpr uint8_t kAll = 15;

using Field = std::optional<uint64_t> MessageHeader::*;
constexpr std::array<std::pair<uint8_t, Field>, 3> kFields = {{
    {uint8_t{2}, &MessageHeader::acknowledged},
    {uint8_t{4}, &MessageHeader::first},
    {uint8_t{8}, &MessageHeader::life},
}};

}  // namespace

std::string MessageHeader::Encode() const {
  uint8_t flags = compressed ? kCompressed : 0;
  std::string bytes(1, '\0');
  for (const auto& [flag, field] : kFields) {
    const std::optional<uint64_t>& number = this->*field;
    if (!number) continue;
    flags |= flag;
    bytes.append(reinterpret_cast<const char*>(&*number), sizeof(*number));
  }
  bytes[0] = static_cast<char>(flags);
  return bytes;
}

absl::StatusOr<MessageHeader> MessageHeader::Decode(std::string_view message, size_t* used) {
  if (message.empty()) return absl::InvalidArgumentError("a message without a beginning");
  const auto flags = static_cast<uint8_t>(message[0]);
  if ((flags & ~kAll) != 0) return absl::InvalidArgumentError("a message of no kind");
  MessageHeader header;
  header.compressed = (flags & kCompressed) != 0;
  *used = 1;
  for (const auto& [flag, field] : kFields) {
    if ((flags & flag) == 0) continue;
    uint64_t number = 0;
    if (message.size() < *used + sizeof(number)) return absl::InvalidArgumentError("a message that is cut short");
    std::memcpy(&number, message.data() + *used, sizeof(number));
    header.*field = number;
    *used += sizeof(number);
  }
  return header;
}

}  // namespace twinkle::rpc

// MessageHeader: the beginning of each message of a link.
//
//   header = flags: u8 | acknowledged: u64 | first: u64 | life: u64      those whose flag is set, little-endian
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace twinkle::rpc {

// The header of a message.
struct MessageHeader {
  static constexpr size_t kLongest = 1 + 3 * sizeof(uint64_t);

  bool compressed = false;               // whether the frames that follow are compressed
  std::optional<uint64_t> acknowledged;  // as in ReceivedMessage
  std::optional<uint64_t> first;  // number of the frame that begins here, if it does not follow from those before
  std::optional<uint64_t> life;   // as in ReceivedMessage

  std::string Encode() const;
  // Reads a header from the beginning of a message. `used`: set to the header's bytes. InvalidArgument: it is no
  // header.
  static absl::StatusOr<MessageHeader> Decode(std::string_view message, size_t* used);
};

}  // namespace twinkle::rpc

// What each message between two processes begins with.
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

struct MessageHeader {
  static constexpr size_t kLongest = 1 + 3 * sizeof(uint64_t);

  bool compressed = false;               // what follows
  std::optional<uint64_t> acknowledged;  // as in Heard
  std::optional<uint64_t> first;  // number of the frame that begins here, where it does not follow from those before
  std::optional<uint64_t> life;   // as in Heard

  std::string Encode() const;
  // `used`: how many bytes of the message it is. InvalidArgument: it is none.
  static absl::StatusOr<MessageHeader> Decode(std::string_view message, size_t* used);
};

}  // namespace twinkle::rpc

// The form of statuses and values in messages.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/bytes.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/codec/codec.h"

namespace twinkle::actor {

struct WireStatus {
  int32_t code = 0;
  std::string message;
  std::vector<std::pair<std::string, std::string>> payloads;
};
// The longest text of a status in a message. A user's exception may say as much as it likes, and a failure goes to
// every rank of its call: the text is cut where it enters a message. A payload that is longer is left out.
inline constexpr size_t kMostStatusBytes = 64 << 10;
WireStatus ToWire(const absl::Status& status);
absl::Status FromWire(const WireStatus& status);

// An encoded value.
struct PackedValue {
  struct Large {
    Bytes head;  // instead of the other, from codec::kOutOfBand on: shared by the messages to all ranks
    std::vector<Bytes> buffers;
  };
  std::string head;
  std::optional<Large> large;  // a value that is more than a short head

  uint64_t bytes() const;
};
PackedValue Pack(codec::Encoded encoded);
// Unpacks a value. Error: that of a buffer which a shortage kept from coming.
absl::StatusOr<codec::Encoded> Unpack(PackedValue packed);

}  // namespace twinkle::actor

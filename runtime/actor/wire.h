// Statuses and values as they are in messages.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/bytes.h>

#include <cstdint>
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
WireStatus ToWire(const absl::Status& status);
absl::Status FromWire(const WireStatus& status);

// An encoded value.
struct PackedValue {
  std::string head;
  Bytes long_head;  // instead, from codec::kOutOfBand on: shared by the messages to all ranks
  std::vector<Bytes> buffers;
};
PackedValue Pack(codec::Encoded encoded);
// The status of a buffer that a shortage kept from coming, if there is one.
absl::StatusOr<codec::Encoded> Unpack(PackedValue packed);

}  // namespace twinkle::actor

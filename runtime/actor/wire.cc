#include "runtime/actor/wire.h"

namespace twinkle::actor {

WireStatus ToWire(const absl::Status& status) {
  WireStatus wire{static_cast<int32_t>(status.code()), std::string(status.message()), {}};
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    wire.payloads.emplace_back(std::string(url), std::string(payload));
  });
  return wire;
}

absl::Status FromWire(const WireStatus& wire) {
  absl::Status status(static_cast<absl::StatusCode>(wire.code), wire.message);
  for (const auto& [url, payload] : wire.payloads) status.SetPayload(url, absl::Cord(payload));
  return status;
}

PackedValue Pack(codec::Encoded encoded) {
  PackedValue packed;
  if (encoded.head.size() < codec::kOutOfBand) {
    packed.head = std::move(encoded.head);
  } else {
    packed.long_head = Bytes(std::move(encoded.head));
  }
  packed.buffers.reserve(encoded.buffers.size());
  for (codec::Buffer& buffer : encoded.buffers) {
    const std::string_view view(reinterpret_cast<const char*>(buffer.data), buffer.size);
    packed.buffers.emplace_back(std::move(buffer.owner), view);
  }
  return packed;
}

codec::Encoded Unpack(PackedValue packed) {
  codec::Encoded encoded{packed.long_head.empty() ? std::move(packed.head) : std::string(packed.long_head.view()), {}};
  encoded.buffers.reserve(packed.buffers.size());
  for (const Bytes& buffer : packed.buffers) {
    encoded.buffers.push_back(
        {reinterpret_cast<const std::byte*>(buffer.view().data()), buffer.size(), buffer.owner()});
  }
  return encoded;
}

}  // namespace twinkle::actor

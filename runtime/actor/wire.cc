#include "runtime/actor/wire.h"

#include "runtime/base/cut_text.h"
#include "runtime/base/status.h"

namespace twinkle::actor {

WireStatus ToWire(const absl::Status& status) {
  WireStatus wire{static_cast<int32_t>(status.code()), base::CutText(status.message(), kMostStatusBytes), {}};
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    if (payload.size() <= kMostStatusBytes) wire.payloads.emplace_back(std::string(url), std::string(payload));
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

namespace {

codec::Buffer BufferOf(const Bytes& bytes) {
  return {reinterpret_cast<const std::byte*>(bytes.view().data()), bytes.size(), bytes.owner()};
}

}  // namespace

absl::StatusOr<codec::Encoded> Unpack(PackedValue packed) {
  TWINKLE_RETURN_IF_ERROR(codec::CheckThere(BufferOf(packed.long_head)));
  codec::Encoded encoded{packed.long_head.empty() ? std::move(packed.head) : std::string(packed.long_head.view()), {}};
  encoded.buffers.reserve(packed.buffers.size());
  for (const Bytes& buffer : packed.buffers) {
    encoded.buffers.push_back(BufferOf(buffer));
    TWINKLE_RETURN_IF_ERROR(codec::CheckThere(encoded.buffers.back()));
  }
  return encoded;
}

}  // namespace twinkle::actor

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

uint64_t PackedValue::bytes() const {
  uint64_t total = head.size();
  if (!large) return total;
  total += large->head.size();
  for (const Bytes& buffer : large->buffers) total += buffer.size();
  return total;
}

PackedValue Pack(codec::Encoded encoded) {
  const bool is_long = encoded.head.size() >= codec::kOutOfBand;
  if (!is_long && encoded.buffers.empty()) return {std::move(encoded.head), std::nullopt};
  PackedValue packed;
  PackedValue::Large& large = packed.large.emplace();
  if (is_long) {
    large.head = Bytes(std::move(encoded.head));
  } else {
    packed.head = std::move(encoded.head);
  }
  large.buffers.reserve(encoded.buffers.size());
  for (codec::Buffer& buffer : encoded.buffers) {
    const std::string_view view(reinterpret_cast<const char*>(buffer.data), buffer.size);
    large.buffers.emplace_back(std::move(buffer.owner), view);
  }
  return packed;
}

namespace {

codec::Buffer BufferOf(const Bytes& bytes) {
  return {reinterpret_cast<const std::byte*>(bytes.view().data()), bytes.size(), bytes.owner()};
}

}  // namespace

absl::StatusOr<codec::Encoded> Unpack(PackedValue packed) {
  if (!packed.large) return codec::Encoded{std::move(packed.head), {}};
  const PackedValue::Large& large = *packed.large;
  TWINKLE_RETURN_IF_ERROR(codec::CheckThere(BufferOf(large.head)));
  codec::Encoded encoded{large.head.empty() ? std::move(packed.head) : std::string(large.head.view()), {}};
  encoded.buffers.reserve(large.buffers.size());
  for (const Bytes& buffer : large.buffers) {
    encoded.buffers.push_back(BufferOf(buffer));
    TWINKLE_RETURN_IF_ERROR(codec::CheckThere(encoded.buffers.back()));
  }
  return encoded;
}

}  // namespace twinkle::actor

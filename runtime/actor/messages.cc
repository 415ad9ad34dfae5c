#include "runtime/actor/messages.h"

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
  packed.head = Bytes(std::move(encoded.head));
  for (codec::Buffer& buffer : encoded.buffers) {
    const std::string_view view(reinterpret_cast<const char*>(buffer.data), buffer.size);
    packed.buffers.emplace_back(std::move(buffer.owner), view);
  }
  return packed;
}

codec::Encoded Unpack(const PackedValue& packed) {
  codec::Encoded encoded{std::string(packed.head.view()), {}};
  for (const Bytes& buffer : packed.buffers) {
    encoded.buffers.push_back(
        {reinterpret_cast<const std::byte*>(buffer.view().data()), buffer.size(), buffer.owner()});
  }
  return encoded;
}

rpc::Frame EncodeMessage(Message message) {
  constexpr size_t kUsualBytes = 240;  // of a call with small arguments; transports add some
  return *codec::Encode(codec::Hold(std::move(message)), nullptr, codec::kOutOfBand, kUsualBytes);
}

absl::StatusOr<Message> DecodeMessage(const rpc::Frame& frame) {
  return codec::DecodeAs<Message>(frame.head, frame.buffers);
}

}  // namespace twinkle::actor

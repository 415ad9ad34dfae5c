#include "runtime/collective/packet.h"

#include <algorithm>

namespace twinkle::collective {

bool IsSane(const Packet& packet) {
  if (static_cast<int>(packet.kind) >= kPacketKinds || packet.code < 0 || packet.code > 16) return false;
  if (packet.row_size < 0 || std::any_of(packet.rows.begin(), packet.rows.end(), [](int64_t n) { return n < 0; })) {
    return false;
  }
  switch (packet.kind) {
    case PacketKind::kUp:
      if (packet.records.empty() || packet.records.size() != packet.payloads.size()) return false;
      break;
    case PacketKind::kMove:
      if (packet.payloads.size() != 1) return false;
      break;
    case PacketKind::kGive:
      if (packet.payloads.size() != 1 || packet.records.size() != 1) return false;
      break;
    case PacketKind::kReady:
    case PacketKind::kWaiting:
      if (packet.records.size() != 1) return false;
      break;
    case PacketKind::kAbort:
      if (packet.code == 0) return false;
      break;
    case PacketKind::kDown:
    case PacketKind::kLeft:
      break;
  }
  return std::all_of(packet.records.begin(), packet.records.end(), [](const Record& r) { return IsSane(r); });
}

}  // namespace twinkle::collective

// What ranks of a communicator say to each other. A plain struct, which the codec describes: the wire format.
#pragma once

#include <twinkle/bytes.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/collective/record.h"
#include "runtime/rpc/transport.h"

namespace twinkle::collective {

// A communicator in a call: what its ranks are together in. Groups of the same dimensions have no rank in common.
struct MeetingKey {
  uint64_t component = 0;
  std::string dims;    // "": all ranks; "cp,dp"
  uint64_t epoch = 0;  // the call's number in its component's order
  bool operator==(const MeetingKey&) const = default;

  template <class H>
  friend H AbslHashValue(H h, const MeetingKey& key) {
    return H::combine(std::move(h), key.component, key.dims, key.epoch);
  }
};

// How many operations a rank has issued, of all ranks and with the receiver.
struct Counts {
  uint64_t groups = 0;
  uint64_t sends = 0;  // to the receiver
  uint64_t recvs = 0;  // from the receiver
};

enum class PacketKind : uint8_t {
  kUp,       // to the parent: what the ranks below have issued, and what they bring
  kDown,     // to the children: the verdict, and what it comes to where that is little
  kMove,     // the next piece of data
  kReady,    // to the one that is to send: its Recv
  kGive,     // what was sent, and as what
  kWaiting,  // the sender has waited for the receiver for a while
  kLeft,     // the sender is not in the method any more: all that it has said, it has said before
  kAbort,    // the meeting has failed
};
inline constexpr int kPacketKinds = 8;

struct Packet {
  MeetingKey key;
  rpc::ProcessId caller = 0;  // of the call
  uint64_t call = 0;
  PacketKind kind = PacketKind::kUp;
  uint64_t sequence = 0;        // of the operation: counted among those of all ranks, or in one direction of a pair
  std::vector<Record> records;  // kUp: of the sender and those below; kReady, kGive, kWaiting: one
  std::vector<Bytes> payloads;  // kUp: for each record, or empty; kDown: the result, or those of all ranks; else one
  std::vector<int64_t> rows;    // kDown: of each rank
  int64_t row_size = 0;         // kDown
  bool carries = false;         // kUp: what payloads there are is all; kDown: they make up the result
  Counts counts;                // kWaiting
  int32_t code = 0;             // kDown, kLeft, kAbort: a status
  std::string message;
};

// Whether it makes sense by itself.
bool IsSane(const Packet& packet);

}  // namespace twinkle::collective

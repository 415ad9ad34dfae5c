// What two neighbours, processes of one machine, say to each other beside their frames.
//
//   what is sent = head of the frame | word | size of the word: u32, little-endian      size 0: there is none
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/memory/place.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// The codec's description of these is their wire format.

// ---- getting to know each other: each says Hello once, and answers the other's
// Where a process finds the rings that another one made for it.
struct RingOffer {
  int32_t bell_fd = -1;
  uint64_t bell_inode = 0;
  uint32_t bell_slot = 0;  // the receiver's
  int32_t ring_fd = -1;
  uint64_t ring_inode = 0;
};
struct Hello {
  int32_t pid = 0;
  int32_t probe_fd = -1;           // of the file with the nonce in it (probe.h)
  std::string nonce;               // which the rings' memory begins with, too
  std::optional<RingOffer> rings;  // absent: it has none
};
struct HelloAnswer {
  int32_t pid = 0;        // of who answers, and maps: leases end with it
  bool readable = false;  // what the other has can be mapped
  bool rings = false;     // and so are its rings
};

// ---- memory
// A buffer of the frame that is elsewhere.
struct SharedBuffer {
  uint64_t index = 0;  // among all of the frame's buffers; ascending
  memory::Place place;
  uint64_t bytes = 0;
  uint64_t lease = 0;
};
struct UnmappedChunk {
  uint64_t kind = 0;  // of memory, as the index of a place
  uint64_t chunk = 0;
};

// A message as those of processes are (actor/messages.h): it may get members at its end.
struct NearWord {
  std::vector<SharedBuffer> shared;
  std::vector<uint64_t> released;       // leases
  std::vector<UnmappedChunk> unmapped;  // that are no more
  std::optional<Hello> hello;
  std::optional<HelloAnswer> answer;
  bool switched = false;  // what follows on this stream is in the ring
  bool bare = false;      // there is no frame for the receiver
};

// Puts the word behind the frame's head. The second is for the commonest, which says nothing.
void AppendWord(const NearWord& word, std::string* head);
void AppendNoWord(std::string* head);
// Takes it off again. Nothing when it says nothing. InvalidArgument: it is none.
absl::StatusOr<std::optional<NearWord>> TakeWord(std::string* head);
// A word by itself.
Frame BareFrame(NearWord word);

}  // namespace twinkle::rpc

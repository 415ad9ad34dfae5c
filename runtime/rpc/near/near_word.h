// Words: what two neighbours, processes of one machine, tell each other beside their frames.
//
//   what is sent = head of the frame | word | size of the word: u32, little-endian      size 0: there is no word
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/memory/place.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// These structs are sent as the codec describes them, so their members are a wire format.

// ---- introductions: each process sends one Hello, and answers the other's
// Where a process finds the bell and the rings that another one made for it.
struct RingOffer {
  int32_t bell_fd = -1;
  uint64_t bell_inode = 0;
  uint32_t bell_slot = 0;  // the receiver's slot in it
  int32_t ring_fd = -1;
  uint64_t ring_inode = 0;
};
// The first word of a process to a neighbour: how to map its memory.
struct Hello {
  int32_t pid = 0;
  int32_t probe_fd = -1;           // the file with the nonce in it (probe.h)
  std::string nonce;               // the rings' memory begins with it, too
  std::optional<RingOffer> rings;  // absent: the sender has no rings
};
// The answer to Hello: what of the other's memory was mapped.
struct HelloAnswer {
  int32_t pid = 0;        // pid of the process that answers, and maps: leases end with it
  bool readable = false;  // whether the other's shared memory can be mapped
  bool rings = false;     // whether its rings were mapped
};

// ---- memory
// A buffer of the frame that is not sent, but lies in shared memory.
struct SharedBuffer {
  uint64_t index = 0;  // number among all buffers of the frame; ascending
  memory::Place place;
  uint64_t bytes = 0;
  uint64_t lease = 0;  // to be released when the buffer is no longer mapped
};
// A chunk of the sender's memory that is gone.
struct UnmappedChunk {
  uint64_t kind = 0;  // the kind of memory, as the index of a Place
  uint64_t chunk = 0;
};

// A word. As the messages of processes (actor/messages.h), it may get members at its end.
struct NearWord {
  std::vector<SharedBuffer> shared;     // buffers of the frame in the sender's memory
  std::vector<uint64_t> released;       // leases of the receiver that the sender has let go of
  std::vector<UnmappedChunk> unmapped;  // chunks of the sender that are gone
  std::optional<Hello> hello;
  std::optional<HelloAnswer> answer;
  bool switched = false;  // the stream goes on in its ring
  bool bare = false;      // the word comes alone, without a frame
};

// Appends a word to a frame's head. AppendNoWord is for frames without a word, which are most.
void AppendWord(const NearWord& word, std::string* head);
void AppendNoWord(std::string* head);
// Takes the word off a frame's head. Nothing: the frame has no word. InvalidArgument: the bytes are no word.
absl::StatusOr<std::optional<NearWord>> TakeWord(std::string* head);
// A frame that carries only the word.
Frame BareFrame(NearWord word);

}  // namespace twinkle::rpc

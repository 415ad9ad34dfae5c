// FrameLink: a connection that carries the frames of one stream, in both directions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// The contents of one message of a connection.
struct ReceivedMessage {
  std::optional<uint64_t> life;          // identity of the process at the other end; no other ever has the same
  std::optional<uint64_t> acknowledged;  // frames of this side that have arrived there, counted from the first ever
  uint64_t first = 0;                    // number of the first frame
  std::vector<Frame> frames;
};

// A connection that frames can be written to. It ends by Cancel, or when it breaks; both are told to whoever made it.
// Thread-safe.
class FrameLink {
 public:
  virtual ~FrameLink() = default;

  // Sets the number of the next frame that is written; those after it have the next numbers. Must be called before the
  // first Write, and again where numbers are skipped.
  virtual void Begin(uint64_t first) = 0;
  // Writes a frame. Never blocks. Returns whether there is room for more; if not, whoever made the connection is told
  // when there is. The frame is dropped once the connection has ended.
  virtual bool Write(const Frame& frame) = 0;
  // Tells the peer how many of its frames have arrived, unless it knows.
  virtual void Acknowledge() = 0;
  // Ends the connection.
  virtual void Cancel() = 0;
  // The numeric address of the other end: "ipv4:HOST:PORT". Empty until the connection is open.
  virtual std::string Address() const = 0;
};

}  // namespace twinkle::rpc

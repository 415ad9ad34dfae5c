// A connection that carries the frames of one stream, in both directions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// What one message of a connection brings.
struct Heard {
  std::optional<uint64_t> life;          // of the process at the other end: no other has the same
  std::optional<uint64_t> acknowledged;  // frames of this side's that have arrived there, counted from the first ever
  uint64_t first = 0;                    // number of the first of the frames
  std::vector<Frame> frames;
};

// Thread-safe.
class FrameLink {
 public:
  virtual ~FrameLink() = default;

  // The next frame that is written has this number, those after it the next ones. Before the first Write; again where
  // numbers are left out.
  virtual void Begin(uint64_t first) = 0;
  // Never blocks. Whether there is room for more; else its owner is told when there is. Dropped once the connection has
  // ended.
  virtual bool Write(const Frame& frame) = 0;
  // The peer is told how many of its frames have arrived, unless it knows.
  virtual void Acknowledge() = 0;
  // Ends the connection.
  virtual void Cancel() = 0;
  // Where the other end is, numeric: "ipv4:HOST:PORT". Empty until the connection is open.
  virtual std::string Address() const = 0;
};

}  // namespace twinkle::rpc

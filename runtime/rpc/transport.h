// The wire between the processes of a job, whatever carries it.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/base/executor.h"
#include "runtime/base/ids.h"
#include "runtime/codec/codec.h"

namespace twinkle::rpc {

using base::kProcessBits;
using base::kProgram;
using base::ProcessId;

// Whether a process may be on this one's machine, so that trying to share memory with it makes sense. Thread-safe.
using IsNear = std::function<bool(ProcessId)>;

// Each pair of processes has two streams in each direction. Control (recalls, releases, cancels) never waits behind
// data.
enum class Stream : uint8_t { kData, kControl };

// What a message is on the wire: a head, and large parts that are referred to.
using Frame = codec::Encoded;

// Called on the task queue that Start was given, never concurrently.
class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual void OnFrame(ProcessId from, Stream stream, Frame frame) = 0;
  // The peer is gone for good: the last that is heard of it, once.
  virtual void OnLost(ProcessId peer, const absl::Status& why) = 0;
};

// Invariants, which the conformance suite checks for every implementation:
//  TR1 frames of one stream arrive in the order sent, each once, though connections break and are made again;
//  TR2 what a buffer refers to is the same when it arrives as when it was sent;
//  TR3 after a peer is lost nothing more arrives from it, and Send to it fails with Unavailable;
//  TR4 after Close nothing is delivered, and Send fails with Cancelled;
//  TR5 control does not wait behind data;
//  TR6 frames that come before Start are delivered after it, in the order in which they came.
class Transport {
 public:
  virtual ~Transport() = default;

  // Begins to deliver to `receiver`, on `queue`. Both must stay until Close, and the queue until it has run out or is
  // closed. Once; before it only Close may be called. A transport over another one starts that one last, so that
  // whoever hears something can answer.
  virtual void Start(Receiver* receiver, base::TaskQueue* queue) = 0;

  // Thread-safe; never blocks. OK says that the frame was taken, not that it arrived: a peer that is lost before is
  // told through OnLost.
  virtual absl::Status Send(ProcessId to, Stream stream, Frame frame) = 0;

  // Gives up a peer with which there is no talking, for which this side has a reason: its receiver hears OnLost with
  // that, the peer's hears that this process is lost to it, and TR3 holds on both sides. Thread-safe.
  virtual void Lose(ProcessId peer, const absl::Status& why) = 0;

  // Leaves: the peers hear that this process is gone. Idempotent.
  virtual void Close() = 0;
};

}  // namespace twinkle::rpc

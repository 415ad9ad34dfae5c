// Transport: what carries messages between the processes of a job.
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

// Whether a process may be on this process's machine, so that it is worth trying to share memory with it. Thread-safe.
using IsNear = std::function<bool(ProcessId)>;

// The two streams that each pair of processes has in each direction. Control (recalls, releases, cancels) never waits
// behind data.
enum class Stream : uint8_t { kData, kControl };

// A message on the wire: a head, and large buffers, which are referred to.
using Frame = codec::Encoded;

// The receiver of a process's messages. Called on the task queue of Transport::Start, never concurrently.
class Receiver {
 public:
  virtual ~Receiver() = default;
  // A frame of the peer's has arrived.
  virtual void OnFrame(ProcessId from, Stream stream, Frame frame) = 0;
  // The peer is gone for good. This is called once, and last, for each peer that is lost.
  virtual void OnLost(ProcessId peer, const absl::Status& why) = 0;
};

// The connections of one process with all others. Sending never blocks; a peer that cannot be reached is lost, which is
// told once. Send and Lose are thread-safe; the other functions are for one thread at a time. Invariants, which the
// conformance suite checks for every implementation:
//  TR1 frames of one stream arrive in the order sent, each once, though connections break and are made again;
//  TR2 the bytes of a buffer are the same when it arrives as when it was sent;
//  TR3 after a peer is lost nothing more arrives from it, and Send to it fails with Unavailable;
//  TR4 after Close nothing is delivered, and Send fails with Cancelled;
//  TR5 control does not wait behind data;
//  TR6 frames that come before Start are delivered after it, in the order in which they came.
class Transport {
 public:
  virtual ~Transport() = default;

  // Begins to deliver to `receiver`, on `queue`. Must be called once; before it only Close may be called. The receiver
  // must exist until Close, and the queue until it has run out or is closed. A transport over another one starts that
  // one last, so that its receiver can answer what it hears.
  virtual void Start(Receiver* receiver, base::TaskQueue* queue) = 0;

  // Sends a frame. Thread-safe. Never blocks. OK: the frame was taken, but need not arrive: if the peer is lost before,
  // OnLost says so. Unavailable: the peer is lost. Cancelled: this transport is closed.
  virtual absl::Status Send(ProcessId to, Stream stream, Frame frame) = 0;

  // Gives up a peer, for a reason that this side has. Its own receiver hears OnLost with `why`, the peer's hears that
  // this process is lost to it, and TR3 holds on both sides. Thread-safe.
  virtual void Lose(ProcessId peer, const absl::Status& why) = 0;

  // Leaves the job: the peers hear that this process is gone. Further calls do nothing.
  virtual void Close() = 0;
};

}  // namespace twinkle::rpc

// GrpcTransport: connections over gRPC between any two processes of a job that talk to each other, on this host or
// others.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/compression.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "runtime/base/executor.h"
#include "runtime/rpc/grpc/redial.h"
#include "runtime/rpc/keep_alive.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/traffic.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// Where and how a transport listens, and its limits.
struct GrpcOptions {
  ProcessId self = kProgram;
  std::string socket = {};        // Unix socket to listen on, "unix:PATH" or "unix-abstract:NAME"; empty: none
  std::string host = {};          // name or address to listen on, at a port that the kernel chooses; empty: none
  std::string secret = {};        // the job's secret; callers without it are refused
  uint32_t protocol = kProtocol;  // the protocol number that this process sends
  // The limits of redial.h: how long a process where nobody listens any more waits for word of its end, and how long
  // its machine may be silent after a connection broke.
  Redial::Limits redial = {};
  KeepAlive keep_alive = {.time = absl::Seconds(2), .timeout = absl::Seconds(4)};
  // Bytes of frames that are kept for a peer whose connection is broken. With more the peer is lost.
  size_t kept_bytes = size_t{4} << 30;
  // How long frames wait for the introduction of their receiver.
  absl::Duration introduction_limit = absl::Seconds(20);
  Compression compression = Compression::kNone;  // for other machines
  std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
};

// A transport between processes, on this machine or others. Streams are bidirectional: whoever sends first to a peer
// opens a stream, and each side then sends on the first stream that it came to know (TR1). So a pair has one connection
// or, if both began at once, two. A connection that breaks is made again (redial.h), and what the peer has not
// acknowledged is sent again (conversation.h). Where that does not succeed within its limit each of the two loses the
// other, though both may live. A lost peer is refused from then on, and so learns of it. One thread of its own does all
// input and output. Thread-safe, except where a function says otherwise.
class GrpcTransport final : public Transport {
 public:
  // How a process is reached: its `socket`, or "HOST:PORT". `ticket` is shown to a process of another job instead of
  // this one's secret.
  struct Introduction {
    std::string target;
    std::string ticket = {};
  };
  // Called when this process and another have lost each other, though both may live.
  using OnCut = std::function<void(ProcessId, const absl::Status& why)>;
  // Finds out how a process is reached, or why it cannot be. Must not block. `done` may be called on any thread, at any
  // time, even when the transport is gone.
  using Introducer = std::function<void(ProcessId, std::function<void(absl::StatusOr<Introduction>)> done)>;

  // Makes a transport that listens at once; it delivers nothing before Start. Unavailable: it cannot listen there.
  // ResourceExhausted: there are no threads for it.
  static absl::StatusOr<std::unique_ptr<GrpcTransport>> Listen(GrpcOptions options);
  ~GrpcTransport() override;

  // The Unix socket that it listens on, as the options have it; empty: none.
  const std::string& socket() const;
  // The TCP port; 0: it does not listen on TCP.
  int port() const;
  const std::shared_ptr<Traffic>& traffic() const;

  // Sets callbacks. Must be called before Start, if at all. `introducer` is asked for processes to which something is
  // sent before they were introduced. `on_cut` runs on the queue of Start, after OnLost.
  void SetEvents(Introducer introducer, OnCut on_cut);

  // Says how a peer is reached. Frames for it wait until then. May be called before Start, too.
  void Introduce(ProcessId peer, Introduction introduction);

  // Sets the report of this process, a protobuf message, for commands that show the CommandTicket (rpc/secret.h).
  // `report` is called on the queue of Start. Before SetReport such commands are refused.
  void SetReport(std::function<std::string()> report);

  // Transport.
  void Start(Receiver* receiver, base::TaskQueue* queue) override;
  absl::Status Send(ProcessId to, Stream stream, Frame frame) override;
  // Also gives the verdict on a peer whose end is known: it is gone, and why.
  void Lose(ProcessId peer, const absl::Status& why) override;
  // Blocks until the transport's thread has ended. Must not be called on that thread.
  void Close() override;

 private:
  class Impl;
  explicit GrpcTransport(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  const std::shared_ptr<Impl> impl_;
};

}  // namespace twinkle::rpc

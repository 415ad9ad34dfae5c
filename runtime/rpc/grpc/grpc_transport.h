// Processes that are processes, on this host or others: a gRPC connection between any two that talk to each other.
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

struct GrpcOptions {
  ProcessId self = kProgram;
  std::string socket = {};        // Unix socket to listen on, "unix:PATH" or "unix-abstract:NAME"; empty: none
  std::string host = {};          // name or address to listen on, at a port that the kernel chooses; empty: none
  std::string secret = {};        // of the job; who does not show it is refused
  uint32_t protocol = kProtocol;  // that this process says it speaks
  // How long a process at whose place nobody listens any more waits for word of its end before it counts as that; and
  // how long its machine may be silent after a connection broke.
  Redial::Limits redial = {};
  KeepAlive keep_alive = {.time = absl::Seconds(2), .timeout = absl::Seconds(4)};
  // Of frames to a peer whose connection is broken: with more that peer is lost.
  size_t kept_bytes = size_t{4} << 30;
  // How long frames to a process that was not introduced wait for that.
  absl::Duration introduction_limit = absl::Seconds(20);
  Compression compression = Compression::kNone;  // of what goes to other machines
  std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
};

// Thread-safe. One thread of its own does all input and output. Streams are bidirectional: whoever sends first to a
// peer that it has no stream with opens one; each side then sends on the first that it came to know (TR1), and so a
// pair has one connection, or, when both began at once, two. One that breaks is made again (redial.h), and what the
// peer has not acknowledged is sent again (conversation.h). Where that is not possible within its limit each of the two
// loses the other, though both may live: who is lost is refused from then on, and so hears it.
class GrpcTransport final : public Transport {
 public:
  // How a process is reached: its `socket`, or "HOST:PORT"; and what a process of another job is shown instead of this
  // one's secret.
  struct Introduction {
    std::string target;
    std::string ticket = {};
  };
  // Two processes have lost each other without a verdict on either.
  using OnCut = std::function<void(ProcessId, const absl::Status& why)>;
  // Finds out how a process is reached, or why it cannot be; returns at once. `done` may be called on
  // any thread, at any time, whatever has become of the transport.
  using Introducer = std::function<void(ProcessId, std::function<void(absl::StatusOr<Introduction>)> done)>;

  // Listens at once; nothing is delivered before Start. Unavailable: it cannot listen there.
  // ResourceExhausted: there are no threads for it.
  static absl::StatusOr<std::unique_ptr<GrpcTransport>> Listen(GrpcOptions options);
  ~GrpcTransport() override;

  // As it was told to listen.
  const std::string& socket() const;
  // The TCP port; 0 without one.
  int port() const;
  const std::shared_ptr<Traffic>& traffic() const;

  // Before Start. `introducer`: asked for processes that something is sent to before they were introduced. `on_cut`
  // runs on the queue of Start, after OnLost.
  void SetEvents(Introducer introducer, OnCut on_cut);

  // Frames sent to a process before wait for this. Also before Start.
  void Introduce(ProcessId peer, Introduction introduction);

  // What commands that show the CommandTicket (rpc/secret.h) are told of this process, as a message of protobuf; called
  // on `queue` of Start. Before that they are refused.
  void SetReport(std::function<std::string()> report);

  // Transport
  void Start(Receiver* receiver, base::TaskQueue* queue) override;
  absl::Status Send(ProcessId to, Stream stream, Frame frame) override;
  // Also the verdict on a peer: it is gone, and why.
  void Lose(ProcessId peer, const absl::Status& why) override;
  // Blocks until the thread has ended; not from that thread.
  void Close() override;

 private:
  class Impl;
  explicit GrpcTransport(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  const std::shared_ptr<Impl> impl_;
};

}  // namespace twinkle::rpc

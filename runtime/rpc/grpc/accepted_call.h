// AcceptedCall: a call of a peer or of a command, from its arrival until it becomes a link or is answered.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "runtime/rpc/grpc/grpc_link.h"

namespace twinkle::rpc {

// One call to a server's generic service. The static functions take the call over. For one thread at a time.
class AcceptedCall final : public CompletionTag {
 public:
  // Waits for one call. `on_call` runs on the polling thread: with the call, or with null when the server shuts down.
  using OnCall = std::function<void(std::unique_ptr<AcceptedCall>)>;
  static void Wait(grpc::AsyncGenericService* service, grpc::ServerCompletionQueue* queue, OnCall on_call);

  std::string method() const { return context_.method(); }
  // The value of a metadata key; empty: the peer did not send it.
  std::string Metadata(const char* key) const;
  // The peer's address as gRPC writes it: address and port, or "unix:" and more.
  std::string peer() const;
  // Whether the call came over the network, and not over a Unix socket.
  bool remote() const;

  // Makes a link of a peer's call, which reads and writes from now on.
  static std::shared_ptr<GrpcLink> Begin(std::unique_ptr<AcceptedCall> call, GrpcLink::Wire wire,
                                         GrpcLink::Events events);
  // Answers a call with one message, and ends it. `on_gone` runs on the polling thread when the peer has been told.
  // Thread-safe.
  static void Reply(std::unique_ptr<AcceptedCall> call, const std::string& message, std::function<void()> on_gone);
  // Ends a call with an error. `on_gone` runs on the polling thread when the peer has been told. Thread-safe.
  static void Refuse(std::unique_ptr<AcceptedCall> call, const absl::Status& why, std::function<void()> on_gone);

  // CompletionTag: the call has arrived (ok), or the server shuts down.
  void Run(bool ok) override;

 private:
  friend class AcceptedLink;
  struct Ending;
  AcceptedCall() = default;

  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  OnCall on_call_;
};

}  // namespace twinkle::rpc

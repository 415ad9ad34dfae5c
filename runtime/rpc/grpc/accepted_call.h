// A call of a peer's, or of a command's, from when it comes in until it is a link, or answered.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "runtime/rpc/grpc/grpc_link.h"

namespace twinkle::rpc {

// Waits for one call to a server's generic service.
class AcceptedCall final : public CompletionTag {
 public:
  // `on_call` runs on the polling thread with null when the server shuts down.
  using OnCall = std::function<void(std::unique_ptr<AcceptedCall>)>;
  static void Wait(grpc::AsyncGenericService* service, grpc::ServerCompletionQueue* queue, OnCall on_call);

  std::string method() const { return context_.method(); }
  // Empty when the peer did not send it.
  std::string Metadata(const char* key) const;
  // As gRPC writes it: address and port, or "unix:" and more.
  std::string peer() const;
  // Whether it came over the network.
  bool remote() const;

  static std::shared_ptr<GrpcLink> Begin(std::unique_ptr<AcceptedCall> call, GrpcLink::Wire wire,
                                         GrpcLink::Events events);
  // Answers it with one message and ends it; `on_gone` runs when the peer has been told. Thread-safe.
  static void Reply(std::unique_ptr<AcceptedCall> call, const std::string& message, std::function<void()> on_gone);
  // `on_gone` runs when the peer has been told.
  static void Refuse(std::unique_ptr<AcceptedCall> call, const absl::Status& why, std::function<void()> on_gone);

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

// Whether a call is one of this cluster's: of this protocol, and with the cluster's token.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/grpcpp.h>

#include <functional>
#include <string>

namespace twinkle::rpc {

// Of one server. Thread-safe once made.
struct TokenCheck {
  std::string self;  // what the server is: "this twinkle-driver"
  std::string token;
  // Told of the peer (ServerContext::peer) of each call that passes: its connection is no stranger's (listener.h).
  std::function<void(const std::string& peer)> let_in = {};

  // FailedPrecondition: the caller speaks another protocol. Unauthenticated: it does not show the token.
  absl::Status Check(const grpc::ServerContextBase& context) const;
  // The first half of it, for callers that show something else.
  absl::Status CheckProtocol(const grpc::ServerContextBase& context) const;
  void LetIn(const std::string& peer) const;
};

}  // namespace twinkle::rpc

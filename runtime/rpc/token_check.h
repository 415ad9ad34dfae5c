// TokenCheck: whether a call speaks this build's protocol and shows the cluster's token.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/grpcpp.h>

#include <functional>
#include <string>

namespace twinkle::rpc {

// The check of one server's calls. Thread-safe once its members are set.
struct TokenCheck {
  std::string self;  // what the server is, for messages: "this twinkle-driver"
  std::string token;
  // Called with the peer (ServerContext::peer) of each call that passes, whose connection is then no stranger's
  // (listener.h).
  std::function<void(const std::string& peer)> let_in = {};

  // Checks protocol and token of a call, and lets its peer in. FailedPrecondition: the caller speaks another protocol.
  // Unauthenticated: it does not show the token.
  absl::Status Check(const grpc::ServerContextBase& context) const;
  // Checks only the protocol, for callers that show something else than the token.
  absl::Status CheckProtocol(const grpc::ServerContextBase& context) const;
  void LetIn(const std::string& peer) const;
};

}  // namespace twinkle::rpc

// Whether a call shows the cluster's token.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <string>

namespace twinkle::rpc {

// Of one server. Thread-safe once made.
struct TokenCheck {
  std::string token;
  // Told of the peer (ServerContext::peer) of each call that passes: its connection is no stranger's (listener.h).
  std::function<void(const std::string& peer)> let_in = {};

  bool Passes(const grpc::ServerContextBase& context) const;
  void LetIn(const std::string& peer) const;
};

}  // namespace twinkle::rpc

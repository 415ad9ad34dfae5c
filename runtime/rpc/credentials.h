// Credentials: what secures connections between machines. This is the only place that decides it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

namespace twinkle::rpc {

// Connections are not encrypted. Who may call is decided by tokens, secrets and tickets (token.h, secret.h).
// Thread-safe.

// Credentials for connections that this process makes.
std::shared_ptr<grpc::ChannelCredentials> ClientCredentials();
// Credentials for connections that this process accepts.
std::shared_ptr<grpc::ServerCredentials> ServerCredentials();

}  // namespace twinkle::rpc

// What secures connections between machines: the one place that says how.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

namespace twinkle::rpc {

// Nothing is encrypted. Who may call is settled by tokens, secrets and tickets (token.h, secret.h). Thread-safe.

// Of connections that this process makes.
std::shared_ptr<grpc::ChannelCredentials> ClientCredentials();
// Of connections that it accepts.
std::shared_ptr<grpc::ServerCredentials> ServerCredentials();

}  // namespace twinkle::rpc

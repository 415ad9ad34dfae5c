// What gRPC says, in words for people.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/grpcpp.h>

#include <string>

namespace twinkle::rpc {

// gRPC's texts name its own calls, and addresses that people have never seen, of a relay say. Text that is not gRPC's
// own stays as it is: what a service of ours has said.
std::string InWords(const std::string& text);

// What a call has come to.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace twinkle::rpc

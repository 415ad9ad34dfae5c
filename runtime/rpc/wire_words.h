// gRPC's errors in words for people.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/grpcpp.h>

#include <string>

namespace twinkle::rpc {

// The text of an error in words for people. gRPC's own texts name its functions, and addresses that people have never
// seen, such as a relay's. Text that is not gRPC's, but what a service of the cluster has said, stays as it is.
std::string InWords(const std::string& text);

// The status of a call, with its text in words for people.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace twinkle::rpc

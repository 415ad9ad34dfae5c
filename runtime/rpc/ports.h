// TCP ports.
#pragma once

#include <absl/status/statusor.h>

namespace twinkle::rpc {

// A port that nobody listens on at the moment. ResourceExhausted: there is none.
absl::StatusOr<int> FreePort();

}  // namespace twinkle::rpc

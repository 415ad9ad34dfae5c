// Whether a server can listen where it is told to, in words for people: gRPC's own are for its makers.
#pragma once

#include <absl/status/status.h>

#include "runtime/rpc/address.h"

namespace twinkle::rpc {

// Blocks for the host's name to be looked up. AlreadyExists: the port is in use. InvalidArgument: the host is not
// known, or not this machine's. PermissionDenied: the port is for root alone. Port 0 is never in use.
absl::Status CanListen(const HostPort& at);

}  // namespace twinkle::rpc

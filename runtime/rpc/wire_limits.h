// Wire limits: how long connections between machines may be silent.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "runtime/rpc/grpc/redial.h"
#include "runtime/rpc/keep_alive.h"

namespace twinkle::rpc {

// The limits for the connections of a job, a command, a node daemon and the driver. Both ends of a connection, and all
// processes of a job, should have the same.
struct WireLimits {
  KeepAlive services = {};  // connections with the driver and the node daemons
  // Connections between processes of a job.
  KeepAlive processes = {.time = absl::Seconds(2), .timeout = absl::Seconds(4)};
  Redial::Limits redial = {};  // after one of the latter has broken
};

// Parses "ASK,ANSWER,REDIAL", three whole numbers of seconds, at least 1 each. ASK: silence before another machine is
// asked. ANSWER: time for its answer, before the connection breaks. REDIAL: silence after that, before its process is
// lost. Empty: the defaults of WireLimits. InvalidArgument: any other text; the message says what it must be.
absl::StatusOr<WireLimits> ParseWireLimits(absl::string_view text);

// The limits of the environment variable TWINKLE_WIRE_LIMITS. Errors as ParseWireLimits; the message names the
// variable.
absl::StatusOr<WireLimits> WireLimitsOfEnvironment();

}  // namespace twinkle::rpc

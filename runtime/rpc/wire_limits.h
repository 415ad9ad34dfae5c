// How long machines may say nothing to each other.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "runtime/rpc/grpc/redial.h"
#include "runtime/rpc/keep_alive.h"

namespace twinkle::rpc {

// Of the connections of a job, a command, a node daemon and the driver. Both ends of a connection, and all processes of
// a job, had better have the same.
struct WireLimits {
  KeepAlive services = {};  // with the driver and the node daemons
  KeepAlive processes = {.time = absl::Seconds(2), .timeout = absl::Seconds(4)};  // between processes of a job
  Redial::Limits redial = {};                                                     // once one of those has broken
};

// "ASK,ANSWER,REDIAL", whole seconds, at least 1 each: after how long without a word another machine is asked, how long
// it may take to answer until the connection breaks, and how long it may be silent after that until its process is
// lost. Empty: as above. InvalidArgument: anything else; the text says what it must be.
absl::StatusOr<WireLimits> ParseWireLimits(absl::string_view text);

// As the variable TWINKLE_WIRE_LIMITS says, which the message names.
absl::StatusOr<WireLimits> WireLimitsOfEnvironment();

}  // namespace twinkle::rpc

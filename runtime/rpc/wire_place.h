// Places of processes in the messages of proto/twinkle/v1: their text for people, and the way to reach them.
#pragma once

#include <string>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::rpc {

// The text of a place for people: "gpu-1, pid 123".
std::string PlaceText(const v1::Place& place);

// The gRPC target of the process at `place`, for processes on `machine` (ThisMachine). Empty: they cannot reach it.
// Lives as long as `endpoint`.
const std::string& TargetOf(const v1::Place& place, const v1::Endpoint& endpoint, const std::string& machine);

}  // namespace twinkle::rpc

// Who is where, as proto/twinkle/v1 has it: the same words for it, and the same choice of a way there, in the library,
// the services and the command.
#pragma once

#include <string>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::rpc {

// "gpu-1, pid 123", for people.
std::string PlaceText(const v1::Place& place);

// The gRPC target of who listens there, for those on `machine` (ThisMachine). Empty: it cannot be reached from them.
const std::string& TargetOf(const v1::Place& place, const v1::Endpoint& endpoint, const std::string& machine);

}  // namespace twinkle::rpc

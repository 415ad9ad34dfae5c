// The protocol number, which stands for the wire format between the processes of a cluster. Both ends of a connection
// compare it before anything else.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <string>

namespace twinkle::rpc {

// The protocol number of this build. It changes only with the wire, and not with the library's version: builds with the
// same number work together.
//
// The wire stays the same where a protobuf message gets a field, or a message of processes (actor/messages.h) a member
// at its end: a reader skips what it does not know, and takes the default of what is missing. Any other change needs a
// new number, be it a new message, whose receiver would not know it, or a change of what neighbours share in memory
// (rings, doorbells). tests/unit/actor/wire_test.cc and tests/unit/rpc/near_word_test.cc hold what is said in this one.
inline constexpr uint32_t kProtocol = 1;

// The metadata key of the protocol number, which every call carries.
inline constexpr char kProtocolKey[] = "twinkle-protocol";

// Adds the metadata that every call to another process of a cluster begins with: the protocol, and what the caller
// shows (channel.h).
void Introduce(grpc::ClientContext& context, const char* key, const std::string& shown);

// Checks that the other end speaks this build's protocol. `said` is the number it has sent; it is empty for builds from
// before there were numbers. FailedPrecondition, which names both: "this twinkle-driver speaks protocol 2, and who
// calls it protocol 1: …", where `self` is "this twinkle-driver" and `other` "who calls it".
absl::Status CheckProtocol(absl::string_view self, absl::string_view other, absl::string_view said);

}  // namespace twinkle::rpc

// The protocol: what processes of a cluster say to each other, as one number that both ends compare before anything
// else.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <string>

namespace twinkle::rpc {

// Changes only when the wire does, and not with the library's version: builds with the same number work together.
//
// The wire stays the same where a message of protobuf gets a field, or a message of processes (actor/messages.h) a
// member at its end: who does not know it skips it, who misses it takes its default. Any other change is another
// protocol, be it a new message, whose receiver would not know it; so is one of what neighbours share in memory (rings,
// doorbells). tests/unit/actor/wire_test.cc and tests/unit/rpc/near_word_test.cc hold what is said in this one.
inline constexpr uint32_t kProtocol = 1;

// Metadata of every call.
inline constexpr char kProtocolKey[] = "twinkle-protocol";

// What every call to another process of a cluster begins with: the protocol, and what the caller shows (channel.h).
void Introduce(grpc::ClientContext& context, const char* key, const std::string& shown);

// Whether the other end speaks this build's protocol; `said` is what it says, nothing in builds from before there were
// numbers. FailedPrecondition, which names both: "this twinkle-driver speaks protocol 2, and who calls it protocol 1:
// …", where `self` is "this twinkle-driver" and `other` "who calls it".
absl::Status CheckProtocol(absl::string_view self, absl::string_view other, absl::string_view said);

}  // namespace twinkle::rpc

// What gRPC says of a connection, in words for people.
#pragma once

#include <string>

namespace twinkle::rpc {

// gRPC's texts name its own calls, and addresses that people have never seen, of a relay say. Text that is not gRPC's
// about a connection stays as it is.
std::string InWords(const std::string& text);

}  // namespace twinkle::rpc

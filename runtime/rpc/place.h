// Where this process is.
#pragma once

#include <string>

namespace twinkle::rpc {

// Equal exactly for processes that can use each other's abstract Unix sockets: same kernel, same network namespace.
std::string ThisMachine();

// The host's name.
std::string ThisHost();

// A gRPC target for a Unix socket that leaves no file: "unix-abstract:twinkle-…", different at every call.
std::string NewSocketName();

}  // namespace twinkle::rpc

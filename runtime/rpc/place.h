// Where this process is.
#pragma once

#include <string>

namespace twinkle::rpc {

// Equal exactly for processes that can use each other's abstract Unix sockets: same kernel, same network namespace.
std::string ThisMachine();

// Equal exactly for processes to which a pid means the same process: same kernel, same PID namespace. Empty where the
// kernel does not tell: then it is equal to none.
std::string ThisPids();

// The host's name.
std::string ThisHost();

// "gpu-1, pid 123": this process, for people.
std::string ThisPlace();

// A gRPC target for a Unix socket that leaves no file: "unix-abstract:twinkle-…", different at every call.
std::string NewSocketName();

}  // namespace twinkle::rpc

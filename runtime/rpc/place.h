// Where this process is: its machine, its PID namespace, its host. All functions are thread-safe.
#pragma once

#include <string>

namespace twinkle::rpc {

// The machine's identity. It is equal exactly for processes that can use each other's abstract Unix sockets: they share
// the kernel and the network namespace.
std::string ThisMachine();

// The identity of the PID namespace. It is equal exactly for processes to which a pid means the same process. Empty:
// the kernel does not tell, and it counts as equal to none.
std::string ThisPids();

// The host's name.
std::string ThisHost();

// This process's place for people: "gpu-1, pid 123".
std::string ThisPlace();

// A new gRPC target for a Unix socket without a file: "unix-abstract:twinkle-…". It differs at every call.
std::string NewSocketName();

}  // namespace twinkle::rpc

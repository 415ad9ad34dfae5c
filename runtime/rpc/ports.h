// TCP ports.
#pragma once

#include <vector>

namespace twinkle::rpc {

// Finds up to `count` TCP ports that are unused on all addresses of this machine at the moment. Thread-safe.
std::vector<int> FreePorts(int count);

}  // namespace twinkle::rpc

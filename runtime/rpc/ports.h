// TCP ports.
#pragma once

#include <vector>

namespace twinkle::rpc {

// As many ports, or fewer, that nobody uses at the moment on any address of this machine.
std::vector<int> FreePorts(int count);

}  // namespace twinkle::rpc

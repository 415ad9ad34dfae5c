// Processes of a network in memory that have joined and started.
#pragma once

#include <memory>

#include "runtime/rpc/in_memory_network.h"

namespace twinkle::rpc {

inline std::unique_ptr<Transport> JoinStarted(InMemoryNetwork& network, ProcessId self, Receiver* receiver,
                                              base::TaskQueue* queue) {
  std::unique_ptr<Transport> joined = network.Join(self);
  joined->Start(receiver, queue);
  return joined;
}

}  // namespace twinkle::rpc

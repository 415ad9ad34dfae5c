// What a process has sent and received, in bytes.
#pragma once

#include <atomic>
#include <cstdint>

namespace twinkle::rpc {

// Thread-safe; every number only grows.
struct Traffic {
  struct Way {
    std::atomic<uint64_t> sent = 0;
    std::atomic<uint64_t> received = 0;
  };
  Way shared;   // parts of messages that stay where they are, and that the other process maps
  Way rings;    // through rings in memory, to processes of this machine
  Way sockets;  // through sockets of this machine
  Way network;  // to and from other machines, as on the wire
  std::atomic<uint64_t> copied_to_share = 0;      // of what is shared: was elsewhere before
  std::atomic<uint64_t> compressed_before = 0;    // of what went to other machines: the bytes that were compressed
  std::atomic<uint64_t> compressed_after = 0;     // and what became of them
  std::atomic<uint64_t> pulled_from_machine = 0;  // results and Put values that came from processes of this machine
  std::atomic<uint64_t> pulled_from_network = 0;  // and from other machines
};

}  // namespace twinkle::rpc

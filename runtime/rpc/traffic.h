// Traffic: counters of the bytes that a process has sent and received.
#pragma once

#include <atomic>
#include <cstdint>

namespace twinkle::rpc {

// Counters of a process's traffic, in bytes. Thread-safe. Each counter only grows.
struct Traffic {
  struct Way {
    std::atomic<uint64_t> sent = 0;
    std::atomic<uint64_t> received = 0;
  };
  Way shared;                                   // parts of messages that stay in place, and that the other process maps
  Way rings;                                    // through rings, to processes of this machine
  Way sockets;                                  // through sockets of this machine
  Way network;                                  // to and from other machines, as counted on the wire
  std::atomic<uint64_t> copied_to_share = 0;    // the part of `shared.sent` that was copied into shared memory first
  std::atomic<uint64_t> compressed_before = 0;  // bytes for other machines that were compressed
  std::atomic<uint64_t> compressed_after = 0;   // the same, after compression
  std::atomic<uint64_t> pulled_from_machine = 0;  // results and Put values that came from processes of this machine
  std::atomic<uint64_t> pulled_from_network = 0;  // results and Put values that came from other machines
};

}  // namespace twinkle::rpc

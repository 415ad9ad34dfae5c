// The processes of a job as one of them knows them: where they are, and what became of them.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <string>

#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/base/mutex.h"
#include "runtime/rpc/grpc/grpc_transport.h"

namespace twinkle::internal {

// Remembers the processes that a transport was told of. Thread-safe.
class PeerTable {
 public:
  // `machine`, `pids`: this process's, as in Place.
  PeerTable(std::string machine, std::string pids) : machine_(std::move(machine)), pids_(std::move(pids)) {}

  // Adds a process, and says how it is reached from here.
  rpc::GrpcTransport::Introduction Add(const v1::Process& process, const std::string& ticket = {});
  // The place of a process: "host, pid 123"; "an unknown host" for one that was never added.
  std::string PlaceOf(rpc::ProcessId process) const;
  // The machine of a process: equal for processes of one machine; 0 for one that was never added.
  uint64_t MachineOf(rpc::ProcessId process) const;
  // Whether the process's memory can be opened from here, by its pid. False for processes of other machines and of
  // other PID namespaces; true for one that was never added, of which nothing is known.
  bool IsNear(rpc::ProcessId process) const;

 private:
  const std::string machine_;
  const std::string pids_;
  mutable base::Mutex mutex_;
  struct Peer {
    v1::Place place;
    uint64_t machine = 0;
  };
  absl::flat_hash_map<rpc::ProcessId, Peer> peers_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, uint64_t> machines_ ABSL_GUARDED_BY(mutex_);  // by name, counted from 1
};

// Tells the transport the verdicts on processes, in their order.
void LoseAll(const v1::PeersLost& lost, rpc::GrpcTransport& transport);

}  // namespace twinkle::internal

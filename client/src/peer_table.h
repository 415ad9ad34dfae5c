// The processes of a job as one of them knows them: where they are, and what became of them.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <string>

#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/base/mutex.h"
#include "runtime/rpc/grpc/grpc_transport.h"

namespace twinkle::internal {

// Thread-safe.
class PeerTable {
 public:
  // `machine`, `pids`: this process's, as in Place.
  PeerTable(std::string machine, std::string pids) : machine_(std::move(machine)), pids_(std::move(pids)) {}

  // How the process is reached from here.
  rpc::GrpcTransport::Introduction Add(const v1::Process& process, const std::string& ticket = {});
  // "host, pid 123"; "an unknown host" for one that was never added.
  std::string PlaceOf(rpc::ProcessId process) const;
  // Equal for processes of one machine; 0 for one that was never added.
  uint64_t MachineOf(rpc::ProcessId process) const;
  // Whether its memory can be opened from here, by its pid: false for processes of other machines and of other PID
  // namespaces; of one that was never added nothing is known.
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

// The verdicts on processes, in their order.
void LoseAll(const v1::PeersLost& lost, rpc::GrpcTransport& transport);

}  // namespace twinkle::internal

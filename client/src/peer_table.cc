#include "client/src/peer_table.h"

#include "client/src/cluster_directory.h"

namespace twinkle::internal {

rpc::GrpcTransport::Introduction PeerTable::Add(const v1::Process& process, const std::string& ticket) {
  base::MutexLock lock(&mutex_);
  places_[process.id()] = process.place();
  machine_of_[process.id()] = machines_.emplace(process.place().machine(), machines_.size() + 1).first->second;
  return {TargetOf(process, machine_), ticket};
}

std::string PeerTable::PlaceOf(rpc::ProcessId process) const {
  base::MutexLock lock(&mutex_);
  const auto found = places_.find(process);
  return found == places_.end() ? "an unknown host" : PlaceText(found->second);
}

uint64_t PeerTable::MachineOf(rpc::ProcessId process) const {
  base::MutexLock lock(&mutex_);
  const auto found = machine_of_.find(process);
  return found == machine_of_.end() ? 0 : found->second;
}

bool PeerTable::IsNear(rpc::ProcessId process) const {
  base::MutexLock lock(&mutex_);
  const auto found = places_.find(process);
  return found == places_.end() || found->second.machine() == machine_;
}

void LoseAll(const v1::PeersLost& lost, rpc::GrpcTransport& transport) {
  for (const v1::PeersLost::Loss& loss : lost.losses()) {
    transport.Lose(loss.process(), absl::UnavailableError(loss.cause()));
  }
}

}  // namespace twinkle::internal

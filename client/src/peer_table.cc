#include "client/src/peer_table.h"

#include "client/src/cluster_directory.h"

namespace twinkle::internal {

void PeerTable::Add(const v1::Process& process, const std::string& ticket, rpc::GrpcTransport* transport) {
  {
    base::MutexLock lock(&mutex_);
    places_[process.id()] = process.place();
  }
  const std::string target = TargetOf(process, machine_);
  if (transport != nullptr && !target.empty()) transport->Introduce(process.id(), target, ticket);
}

std::string PeerTable::PlaceOf(rpc::ProcessId process) const {
  base::MutexLock lock(&mutex_);
  const auto found = places_.find(process);
  return found == places_.end() ? "an unknown host" : PlaceText(found->second);
}

void LoseAll(const v1::PeersLost& lost, rpc::GrpcTransport& transport) {
  for (const v1::PeersLost::Loss& loss : lost.losses()) {
    transport.Lose(loss.process(), absl::UnavailableError(loss.cause()));
  }
}

}  // namespace twinkle::internal

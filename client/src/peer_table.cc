#include "client/src/peer_table.h"

#include "runtime/rpc/wire_place.h"

namespace twinkle::internal {

rpc::GrpcTransport::Introduction PeerTable::Add(const v1::Process& process, const std::string& ticket) {
  base::MutexLock lock(&mutex_);
  const uint64_t machine = machines_.emplace(process.place().machine(), machines_.size() + 1).first->second;
  peers_[process.id()] = {process.place(), machine};
  return {rpc::TargetOf(process.place(), process.endpoint(), machine_), ticket};
}

std::string PeerTable::PlaceOf(rpc::ProcessId process) const {
  base::MutexLock lock(&mutex_);
  const auto found = peers_.find(process);
  return found == peers_.end() ? "an unknown host" : rpc::PlaceText(found->second.place);
}

uint64_t PeerTable::MachineOf(rpc::ProcessId process) const {
  base::MutexLock lock(&mutex_);
  const auto found = peers_.find(process);
  return found == peers_.end() ? 0 : found->second.machine;
}

bool PeerTable::IsNear(rpc::ProcessId process) const {
  base::MutexLock lock(&mutex_);
  const auto found = peers_.find(process);
  if (found == peers_.end()) return true;
  const v1::Place& place = found->second.place;
  return place.machine() == machine_ && place.pids() == pids_ && !pids_.empty();
}

void LoseAll(const v1::PeersLost& lost, rpc::GrpcTransport& transport) {
  for (const v1::PeersLost::Loss& loss : lost.losses()) {
    transport.Lose(loss.process(), absl::UnavailableError(loss.cause().empty() ? lost.cause() : loss.cause()));
  }
}

}  // namespace twinkle::internal

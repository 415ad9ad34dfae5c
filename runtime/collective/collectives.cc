#include "runtime/collective/collectives.h"

#include <iterator>

namespace twinkle::collective {

void Collectives::SetBusy() { busy_.store(!meetings_.empty() || !early_.empty(), std::memory_order_release); }

std::shared_ptr<Meeting> Collectives::Open(const MeetingKey& key, const RunningMethod& method, const Members& members) {
  base::MutexLock lock(&mutex_);
  std::shared_ptr<Meeting>& meeting = meetings_[key];
  if (meeting != nullptr) return meeting;
  meeting = std::make_shared<Meeting>(key, method, members, &wire_, options_);
  if (auto early = early_.extract(key); !early.empty()) {
    for (auto& [from, packet] : early.mapped()) {
      if (const int rank = meeting->RankOf(from); rank >= 0) meeting->OnPacket(rank, std::move(packet));
    }
  }
  for (rpc::ProcessId process : members.processes) {
    if (const absl::Status* why = lost_.Find(process)) meeting->OnLost(process, *why);
  }
  SetBusy();
  return meeting;
}

void Collectives::OnPacket(rpc::ProcessId from, Packet packet) {
  if (!IsSane(packet)) return;
  const bool over = state_of_(packet) == CallState::kOver;
  if (over) {
    const absl::Status* failed = failed_.Find({packet.key.component, packet.key.epoch});
    return TellLeft(from, packet, failed == nullptr ? absl::OkStatus() : *failed);
  }
  base::MutexLock lock(&mutex_);
  const auto found = meetings_.find(packet.key);
  if (found == meetings_.end()) {
    early_[packet.key].emplace_back(from, std::move(packet));
    return SetBusy();
  }
  if (const int rank = found->second->RankOf(from); rank >= 0) found->second->OnPacket(rank, std::move(packet));
}

void Collectives::TellLeft(rpc::ProcessId to, const Packet& packet, const absl::Status& outcome) {
  if (packet.kind != PacketKind::kWaiting) return;
  Packet left;
  left.key = packet.key;
  left.caller = packet.caller;
  left.call = packet.call;
  left.kind = PacketKind::kLeft;
  left.code = static_cast<int32_t>(outcome.code());
  left.message = std::string(outcome.message());
  wire_.Send(to, std::move(left));
}

void Collectives::OnLost(rpc::ProcessId process, const absl::Status& why) {
  base::MutexLock lock(&mutex_);
  lost_.Add(process, why);
  for (const auto& [key, meeting] : meetings_) meeting->OnLost(process, why);
}

void Collectives::OnCallOver(uint64_t component, uint64_t epoch, const absl::Status& outcome) {
  std::vector<std::shared_ptr<Meeting>> over;
  Early early;
  {
    base::MutexLock lock(&mutex_);
    const auto is_of_call = [&](const MeetingKey& key) { return key.component == component && key.epoch == epoch; };
    absl::erase_if(meetings_, [&](const auto& entry) {
      if (is_of_call(entry.first)) over.push_back(entry.second);
      return is_of_call(entry.first);
    });
    absl::erase_if(early_, [&](auto& entry) {
      const bool passed = entry.first.component == component && entry.first.epoch <= epoch;
      if (passed) std::move(entry.second.begin(), entry.second.end(), std::back_inserter(early));
      return passed;
    });
    SetBusy();
  }
  if (!outcome.ok()) failed_.Add({component, epoch}, outcome);
  for (const auto& meeting : over) meeting->OnOver(outcome);
  for (const auto& [from, packet] : early) TellLeft(from, packet, outcome);
}

}  // namespace twinkle::collective

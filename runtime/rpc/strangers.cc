#include "runtime/rpc/strangers.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace twinkle::rpc {

Strangers::Room Strangers::MakeRoom(base::Instant now) {
  const uint64_t owed = Owed(now);
  if (owed >= limits_.bytes_of_gone) return {.is_there = false, .gone = std::nullopt};
  // Who comes while much is owed may send too much before that is seen: one by one.
  if (all_.size() < (owed > limits_.bytes_of_gone / 2 ? 1 : limits_.most)) return {};
  if (now - all_.begin()->second.since < limits_.moment) return {.is_there = false, .gone = std::nullopt};
  return {.is_there = true, .gone = ExpelOldest()};
}

void Strangers::Add(Id id, std::string peer, base::Instant now) { all_.emplace(id, Stranger{std::move(peer), now}); }

std::optional<Strangers::Id> Strangers::Find(const std::string& peer) const {
  for (const auto& [id, stranger] : all_) {
    if (stranger.peer == peer) return id;
  }
  return std::nullopt;
}

uint64_t Strangers::Owed(base::Instant now) {
  const double forgiven = absl::ToDoubleSeconds(now - then_) * static_cast<double>(limits_.forgiven);
  owed_ = std::max(0.0, owed_ - forgiven);
  then_ = now;
  return static_cast<uint64_t>(std::ceil(owed_));
}

// It was not let in.
std::map<Strangers::Id, Strangers::Stranger>::iterator Strangers::Go(std::map<Id, Stranger>::iterator one) {
  // Nobody waits longer than a second for those who went.
  const auto most = static_cast<double>(limits_.bytes_of_gone + limits_.forgiven);
  owed_ = std::min(owed_ + static_cast<double>(one->second.bytes), most);
  return all_.erase(one);
}

void Strangers::Ended(Id id) {
  const auto found = all_.find(id);
  if (found != all_.end()) Go(found);
}

void Strangers::SetBytes(Id id, uint64_t bytes) {
  const auto found = all_.find(id);
  if (found != all_.end()) found->second.bytes = bytes;
}

std::vector<Strangers::Id> Strangers::Expel(base::Instant now) {
  std::vector<std::pair<uint64_t, Id>> by_bytes;
  std::vector<Id> gone;
  uint64_t sum = 0;
  for (const auto& [id, stranger] : all_) {
    if (stranger.bytes > limits_.bytes || now - stranger.since >= limits_.patience) {
      gone.push_back(id);
      continue;
    }
    by_bytes.emplace_back(stranger.bytes, id);
    sum += stranger.bytes;
  }
  std::sort(by_bytes.rbegin(), by_bytes.rend());
  for (const auto& [bytes, id] : by_bytes) {
    if (sum <= limits_.bytes_of_all) break;
    gone.push_back(id);
    sum -= bytes;
  }
  for (const Id id : gone) Ended(id);
  return gone;
}

std::optional<Strangers::Id> Strangers::ExpelOldest() {
  if (all_.empty()) return std::nullopt;
  const Id oldest = all_.begin()->first;
  Go(all_.begin());
  return oldest;
}

std::vector<Strangers::Id> Strangers::ids() const {
  std::vector<Id> ids;
  ids.reserve(all_.size());
  for (const auto& [id, stranger] : all_) ids.push_back(id);
  return ids;
}

}  // namespace twinkle::rpc

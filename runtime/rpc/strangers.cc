#include "runtime/rpc/strangers.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace twinkle::rpc {

// ---- what is owed
void Strangers::Debt::Forgive(base::Instant now, uint64_t each_second) {
  bytes = std::max(0.0, bytes - absl::ToDoubleSeconds(now - then) * static_cast<double>(each_second));
  then = now;
}

void Strangers::Debt::Add(uint64_t more, uint64_t most) {
  bytes = std::min(bytes + static_cast<double>(more), static_cast<double>(most));
}

uint64_t Strangers::Owed(base::Instant now) {
  debt_.Forgive(now, limits_.forgiven_to_all);
  double owed = debt_.bytes;
  for (auto it = sources_.begin(); it != sources_.end();) {
    Source& source = it->second;
    source.debt.Forgive(now, limits_.forgiven);
    owed = std::max(owed, source.debt.bytes);
    it = source.present == 0 && source.debt.bytes == 0 ? sources_.erase(it) : std::next(it);
  }
  return static_cast<uint64_t>(std::ceil(owed));
}

// ---- who comes
bool Strangers::HasRoom(base::Instant now) const { return all_.size() < limits_.most || WhoGoes(now, std::nullopt); }

std::optional<Strangers::Id> Strangers::Add(Id id, std::string peer, const std::string& source, base::Instant now) {
  const auto [at, is_new] = sources_.try_emplace(source);
  if (is_new) at->second.debt.then = now;
  ++at->second.present;
  all_.emplace(id, Stranger{std::move(peer), at, now});
  if (all_.size() <= limits_.most) return std::nullopt;
  const Id goes = WhoGoes(now, id).value_or(id);
  Ended(goes, now);
  return goes;
}

std::optional<Strangers::Id> Strangers::WhoGoes(base::Instant now, std::optional<Id> newcomer) const {
  const bool only_waiting = is_pressed() && std::any_of(all_.begin(), all_.end(), [&](const auto& each) {
                              return each.first != newcomer && !each.second.served;
                            });
  const auto may_go = [&](const Source& source) { return source.present - (only_waiting ? source.served : 0); };
  size_t most = 0;
  for (const auto& [name, source] : sources_) most = std::max(most, may_go(source));
  All::const_iterator newest = all_.end(), oldest = all_.end();
  for (auto it = all_.begin(); it != all_.end(); ++it) {
    const Stranger& each = it->second;
    if (may_go(each.source->second) != most || (only_waiting && each.served)) continue;
    newest = it;
    if (now - each.since < limits_.moment) continue;
    if (oldest == all_.end() || each.since < oldest->second.since) oldest = it;
  }
  if (oldest != all_.end()) return oldest->first;
  return most > 1 ? std::optional<Id>(newest->first) : std::nullopt;
}

// ---- whose turn it is
bool Strangers::is_pressed() const { return debt_.bytes > static_cast<double>(limits_.bytes_of_all_gone) / 4; }

size_t Strangers::RoomToServe(base::Instant now) const {
  if (!is_pressed()) return all_.size();
  const double left = static_cast<double>(limits_.bytes_of_all_gone) - debt_.bytes;
  const auto at_once = static_cast<size_t>(std::max(0.0, left) / static_cast<double>(limits_.bytes));
  size_t served = 0;
  for (const auto& [name, source] : sources_) served += source.served;
  if (served < at_once) return at_once - served;
  return now - last_turn_ >= limits_.turn ? 1 : 0;
}

// Whether a stranger of the source may be served. Strangers of a source with much debt are served one by one, because
// each may send too much before that is seen.
bool Strangers::MayBeServed(const Source& source) const {
  const auto most = static_cast<double>(limits_.bytes_of_gone);
  return source.debt.bytes < most && (source.debt.bytes <= most / 2 || source.served == 0);
}

std::vector<Strangers::Id> Strangers::Serve(base::Instant now) {
  Owed(now);
  const size_t room = RoomToServe(now);
  if (room == 0) return {};
  using Waiting = std::pair<const Id, Stranger>;
  std::vector<Waiting*> waiting;
  for (Waiting& each : all_) {
    if (!each.second.served && MayBeServed(each.second.source->second)) waiting.push_back(&each);
  }
  std::sort(waiting.begin(), waiting.end(), [](const Waiting* a, const Waiting* b) {
    const double owed_a = a->second.source->second.debt.bytes, owed_b = b->second.source->second.debt.bytes;
    return std::tie(owed_a, b->first) < std::tie(owed_b, a->first);
  });
  std::vector<Id> served;
  for (Waiting* each : waiting) {
    Source& source = each->second.source->second;
    if (served.size() == room) break;
    if (!MayBeServed(source)) continue;
    each->second.served = true;
    each->second.since = now;
    ++source.served;
    served.push_back(each->first);
  }
  if (!served.empty()) last_turn_ = now;
  return served;
}

bool Strangers::is_served(Id id) const {
  const auto found = all_.find(id);
  return found != all_.end() && found->second.served;
}

void Strangers::SetBytes(Id id, uint64_t bytes) {
  const auto found = all_.find(id);
  if (found == all_.end()) return;
  found->second.source->second.bytes += bytes - found->second.bytes;
  found->second.bytes = bytes;
}

std::optional<Strangers::Id> Strangers::Find(const std::string& peer) const {
  for (const auto& [id, stranger] : all_) {
    if (stranger.peer == peer) return id;
  }
  return std::nullopt;
}

// ---- who goes
void Strangers::Remove(Id id) {
  const auto found = all_.find(id);
  if (found == all_.end()) return;
  Source& source = found->second.source->second;
  --source.present;
  if (found->second.served) --source.served;
  source.bytes -= found->second.bytes;
  all_.erase(found);
}

// Removes a stranger that was not let in. The debt is limited, so that nobody waits longer than a second for strangers
// that went.
void Strangers::Ended(Id id, base::Instant now) {
  const auto found = all_.find(id);
  if (found == all_.end()) return;
  const uint64_t bytes = std::min(found->second.bytes, limits_.bytes_of_gone + limits_.forgiven);
  Debt& debt = found->second.source->second.debt;
  debt.Forgive(now, limits_.forgiven);
  debt.Add(bytes, limits_.bytes_of_gone + limits_.forgiven);
  debt_.Forgive(now, limits_.forgiven_to_all);
  debt_.Add(bytes, limits_.bytes_of_all_gone + limits_.forgiven_to_all);
  Remove(id);
}

void Strangers::LetIn(Id id) { Remove(id); }

uint64_t Strangers::bytes() const {
  uint64_t sum = 0;
  for (const auto& [id, stranger] : all_) sum += stranger.bytes;
  return sum;
}

std::vector<Strangers::Id> Strangers::Expel(base::Instant now) {
  std::vector<Id> gone;
  for (const auto& [id, stranger] : all_) {
    if (stranger.bytes > limits_.bytes || now - stranger.since >= limits_.patience) gone.push_back(id);
  }
  for (const Id id : gone) Ended(id, now);
  while (bytes() > limits_.bytes_of_all) {
    const auto most = std::max_element(all_.begin(), all_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.second.source->second.bytes, a.second.bytes) <
             std::tie(b.second.source->second.bytes, b.second.bytes);
    });
    gone.push_back(most->first);
    Ended(most->first, now);
  }
  return gone;
}

std::optional<Strangers::Id> Strangers::ExpelOldest(base::Instant now) {
  const std::optional<Id> oldest = WhoGoes(base::kForever, std::nullopt);
  if (oldest) Ended(*oldest, now);
  return oldest;
}

std::vector<Strangers::Id> Strangers::ids() const {
  std::vector<Id> ids;
  ids.reserve(all_.size());
  for (const auto& [id, stranger] : all_) ids.push_back(id);
  return ids;
}

}  // namespace twinkle::rpc

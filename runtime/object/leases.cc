#include "runtime/object/leases.h"

#include <signal.h>

#include <cerrno>
#include <utility>

namespace twinkle::object {
namespace {

bool HasEnded(int pid) { return ::kill(pid, 0) != 0 && errno == ESRCH; }

}  // namespace

uint64_t Leases::Add(rpc::ProcessId peer, std::shared_ptr<const void> owner) {
  std::vector<Owner> ended;
  base::MutexLock lock(&mutex_);
  TakeEnded(&ended);
  leases_[next_] = {peer, std::move(owner)};
  return next_++;
}

void Leases::Release(rpc::ProcessId peer, const std::vector<uint64_t>& leases) {
  std::vector<Owner> released;
  base::MutexLock lock(&mutex_);
  for (uint64_t id : leases) {
    const auto found = leases_.find(id);
    if (found == leases_.end() || found->second.peer != peer) continue;
    released.push_back(std::move(found->second.owner));
    leases_.erase(found);
  }
}

void Leases::PeerLost(rpc::ProcessId peer, int pid) {
  std::vector<Owner> owners;
  std::vector<Owner> ended;
  base::MutexLock lock(&mutex_);
  for (auto lease = leases_.begin(); lease != leases_.end();) {
    const auto here = lease++;
    if (here->second.peer != peer) continue;
    owners.push_back(std::move(here->second.owner));
    leases_.erase(here);
  }
  if (pid != 0 && !owners.empty() && !HasEnded(pid)) doubted_.push_back({pid, std::move(owners)});
  TakeEnded(&ended);
}

void Leases::TakeEnded(std::vector<Owner>* owners) {
  for (auto doubted = doubted_.begin(); doubted != doubted_.end();) {
    if (!HasEnded(doubted->pid)) {
      ++doubted;
      continue;
    }
    for (Owner& owner : doubted->owners) owners->push_back(std::move(owner));
    doubted = doubted_.erase(doubted);
  }
}

void Leases::Clear() {
  std::vector<Doubted> doubted;
  absl::flat_hash_map<uint64_t, Lease> leases;
  base::MutexLock lock(&mutex_);
  leases.swap(leases_);
  doubted.swap(doubted_);
}

size_t Leases::size() const {
  base::MutexLock lock(&mutex_);
  size_t count = leases_.size();
  for (const Doubted& doubted : doubted_) count += doubted.owners.size();
  return count;
}

}  // namespace twinkle::object

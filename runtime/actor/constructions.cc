#include "runtime/actor/constructions.h"

#include <utility>

namespace twinkle::actor {

using internal::LazyCore;

void Constructions::Add(uint64_t component, std::shared_ptr<LazyCore> construction) {
  base::MutexLock lock(&mutex_);
  constructions_[component] = std::move(construction);
}

std::shared_ptr<LazyCore> Constructions::Find(uint64_t component) const {
  base::MutexLock lock(&mutex_);
  const auto made = constructions_.find(component);
  return made == constructions_.end() ? nullptr : made->second;
}

void Constructions::Forget(uint64_t component) {
  std::shared_ptr<LazyCore> construction;  // ends outside the lock
  base::MutexLock lock(&mutex_);
  const auto made = constructions_.find(component);
  if (made == constructions_.end()) return;
  construction = std::move(made->second);
  constructions_.erase(made);
}

void Constructions::OnGone(std::span<const rpc::ProcessId> workers) {
  base::MutexLock lock(&mutex_);
  gone_.insert(workers.begin(), workers.end());
}

bool Constructions::IsAsMade(const ComponentInfo& component) const {
  base::MutexLock lock(&mutex_);
  if (!constructions_.contains(component.id)) return false;
  for (rpc::ProcessId worker : component.workers) {
    if (gone_.contains(worker)) return false;
  }
  return true;
}

size_t Constructions::size() const {
  base::MutexLock lock(&mutex_);
  return constructions_.size();
}

void Constructions::Clear() {
  base::MutexLock lock(&mutex_);
  constructions_.clear();
}

}  // namespace twinkle::actor

// What a process remembers of the components that it has made.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <memory>
#include <set>
#include <span>

#include "runtime/actor/messages.h"
#include "runtime/base/mutex.h"
#include "runtime/object/lazy_core.h"

namespace twinkle::actor {

// How their construction went, for all handles to them. Thread-safe.
class Constructions {
 public:
  void Add(uint64_t component, std::shared_ptr<internal::LazyCore> construction);
  // Null: it was made elsewhere, or is released.
  std::shared_ptr<internal::LazyCore> Find(uint64_t component) const;
  void Forget(uint64_t component);
  // Those processes were killed by this one, or are lost.
  void OnGone(std::span<const rpc::ProcessId> workers);
  // Whether nothing is known here that came after the construction: no Release, Kill or death.
  bool IsAsMade(const ComponentInfo& component) const;
  size_t size() const;
  void Clear();  // they hold the process

 private:
  mutable base::Mutex mutex_;
  absl::flat_hash_map<uint64_t, std::shared_ptr<internal::LazyCore>> constructions_ ABSL_GUARDED_BY(mutex_);
  std::set<rpc::ProcessId> gone_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::actor

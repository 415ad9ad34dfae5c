// The constructions of the components that a process has made.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <memory>
#include <set>
#include <span>

#include "runtime/actor/messages.h"
#include "runtime/base/mutex.h"
#include "runtime/object/lazy_core.h"

namespace twinkle::actor {

// Remembers how each construction went, for all handles to its component. Thread-safe. A construction is kept until its
// component is forgotten, or Clear.
class Constructions {
 public:
  void Add(uint64_t component, std::shared_ptr<internal::LazyCore> construction);
  // The component's construction. Null: the component was made elsewhere, or is released.
  std::shared_ptr<internal::LazyCore> Find(uint64_t component) const;
  void Forget(uint64_t component);
  // These processes were killed by this one, or are lost.
  void OnGone(std::span<const rpc::ProcessId> workers);
  // Whether the component is as its construction left it: no Release, Kill or death of it is known here.
  bool IsAsMade(const ComponentInfo& component) const;
  size_t size() const;
  // Lets go of all constructions, which hold the process.
  void Clear();

 private:
  mutable base::Mutex mutex_;
  absl::flat_hash_map<uint64_t, std::shared_ptr<internal::LazyCore>> constructions_ ABSL_GUARDED_BY(mutex_);
  std::set<rpc::ProcessId> gone_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::actor

#include "runtime/actor/lost_makers.h"

#include "runtime/actor/binder.h"

namespace twinkle::actor {

void LostMakers::Add(rpc::ProcessId maker) {
  {
    base::MutexLock lock(&mutex_);
    makers_.insert(maker);
    if (makers_.size() > 1) return;  // they are looked for together
  }
  services_.collector->Post([this, keep = services_.binder->store()] { TellOrphans(); });  // the directory may block
}

void LostMakers::TellOrphans() {
  std::set<rpc::ProcessId> makers;
  {
    base::MutexLock lock(&mutex_);
    makers.swap(makers_);
  }
  for (const ComponentInfo& component : services_.directory->Components()) {
    if (!makers.contains(component.maker)) continue;
    for (rpc::ProcessId worker : component.workers) {
      services_.Send(worker, rpc::Stream::kControl, OrphanedMessage{component.id, component.maker});
    }
  }
}

}  // namespace twinkle::actor

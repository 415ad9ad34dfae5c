// A process's view of all objects of the job, for any thread.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

#include <vector>

#include "runtime/actor/object_exchange.h"
#include "runtime/actor/services.h"
#include "runtime/base/mutex.h"
#include "runtime/object/object_store.h"

namespace twinkle::actor {

// Asks the ObjectExchange, on the service queue. Thread-safe. A part of its process: whoever has the store keeps the
// process (Binder). Once the process is stopped every question is answered with Cancelled.
class ProcessStore final : public object::ObjectStore {
 public:
  ProcessStore(const Services* services, ObjectExchange* exchange) : services_(*services), exchange_(*exchange) {}

  void Pull(const object::ObjectRef& object, const codec::Type& type, object::Selection selection,
            object::PullDone done) override;
  void Retain(const object::ObjectRef& object, absl::AnyInvocable<void(absl::Status)> done) override;
  // Releases a reference. Once the process is stopped nothing is released any more: the owners are told of its end.
  void Release(const object::ObjectRef& object) override;
  base::TaskQueue& collector() override { return *services_.collector; }
  base::JobKey job() const override { return services_.options.job; }

 private:
  void ReleaseAll();

  const Services& services_;
  ObjectExchange& exchange_;
  base::Mutex mutex_;
  std::vector<object::ObjectRef> released_ ABSL_GUARDED_BY(mutex_);  // by threads of any kind, not yet told
  std::vector<object::ObjectRef> releasing_;                         // on the service queue: those being told
};

}  // namespace twinkle::actor

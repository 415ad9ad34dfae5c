#include "runtime/actor/process_store.h"

#include <utility>

#include "runtime/actor/binder.h"
#include "runtime/base/forked.h"
#include "runtime/base/sure_answer.h"

namespace twinkle::actor {

void ProcessStore::Pull(const object::ObjectRef& object, const codec::Type& type, object::Selection selection,
                        object::PullDone done) {
  // The type is a constant of the program.
  services_.service->Post([this, keep = services_.binder->store(), object, type = &type,
                           selection = std::move(selection),
                           sure = base::SureAnswer<object::Pulled>(std::move(done))]() mutable {
    exchange_.Pull(object, *type, std::move(selection), sure.Take());
  });
}

void ProcessStore::Retain(const object::ObjectRef& object, absl::AnyInvocable<void(absl::Status)> done) {
  services_.service->Post([this, keep = services_.binder->store(), object, done = std::move(done)]() mutable {
    exchange_.Retain(object, std::move(done));
  });
}

void ProcessStore::Release(const object::ObjectRef& object) {
  if (services_.life.stopped() || base::InForkedChild()) return;
  {
    base::MutexLock lock(&mutex_);
    released_.push_back(object);
    if (released_.size() > 1) return;  // they go together
  }
  services_.service->Post([this, keep = services_.binder->store()] { ReleaseAll(); });
}

void ProcessStore::ReleaseAll() {
  {
    base::MutexLock lock(&mutex_);
    releasing_.swap(released_);
  }
  for (const object::ObjectRef& object : releasing_) exchange_.Release(object);
  releasing_.clear();
}

}  // namespace twinkle::actor

// The binder: the way back from calls, handles and lazies to their process.
#pragma once

#include <memory>

#include "runtime/actor/messages.h"
#include "runtime/object/object_store.h"

namespace twinkle::internal {
struct ComponentRef;
}

namespace twinkle::actor {

class UserApi;

// A process as its parts need it to make what others keep. All that a binder gives keeps the process. It is for the
// process's own threads only, while the process runs. Thread-safe.
class Binder {
 public:
  virtual ~Binder() = default;

  // The store for references to objects, and for tasks in which nothing else keeps the process.
  virtual std::shared_ptr<object::ObjectStore> store() = 0;
  // The interface for the context of user code (context.h).
  virtual std::shared_ptr<UserApi> api() = 0;
  // A handle of this process to a component.
  virtual std::shared_ptr<const internal::ComponentRef> Bind(const ComponentInfo& component) = 0;
};

}  // namespace twinkle::actor

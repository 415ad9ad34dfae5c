// What a handle refers to.
#pragma once

#include <twinkle/internal/class_info.h>

#include <memory>

#include "runtime/actor/messages.h"

namespace twinkle::actor {
class Process;
class LocalObject;
}  // namespace twinkle::actor

namespace twinkle::internal {

// Constant once made. Owned by the handles of one component in one process.
struct ComponentRef : std::enable_shared_from_this<ComponentRef> {
  actor::ComponentInfo info;
  const ClassInfo* class_info = nullptr;
  std::shared_ptr<actor::Process> process;    // the one that holds the handle
  std::shared_ptr<actor::LocalObject> local;  // an object of this process that stands for the whole component
  std::shared_ptr<LazyCore> constructed;      // where the component was made here
  // Whether several of its workers are on other machines than `process`.
  bool far = false;
};

}  // namespace twinkle::internal

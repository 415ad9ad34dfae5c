// The component that a handle refers to.
#pragma once

#include <twinkle/internal/class_info.h>

#include <memory>

#include "runtime/actor/calls.h"
#include "runtime/actor/messages.h"

namespace twinkle::internal {

// A component as its handles in one process know it. Owned by them. Constant once made.
struct ComponentRef : std::enable_shared_from_this<ComponentRef> {
  actor::ComponentInfo info;
  const ClassInfo* class_info = nullptr;
  std::shared_ptr<actor::Calls> calls;    // has made this; keeps the process that holds the handle
  std::shared_ptr<LazyCore> constructed;  // where the component was made here
  // Whether several of its workers are on other machines than that process.
  bool far = false;
};

}  // namespace twinkle::internal

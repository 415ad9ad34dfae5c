// The components that are in a process no more, or never will be, and why: for calls that come later.
#pragma once

#include <absl/status/status.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "runtime/base/recent.h"

namespace twinkle::actor {

// Remembers gone components, in bounded memory. For one thread at a time. Ids of components ascend: the latest are
// known one by one, those before them only as gone. A call that comes before its component's construction, which is
// that late, is told so, too.
class GoneComponents {
 public:
  // Adds a component that is gone. The first reason stays.
  void Add(uint64_t component, const absl::Status& why) {
    if (const auto forgotten = latest_.Add(component, why)) forgotten_ = std::max(forgotten_, *forgotten);
  }
  // Why the component is gone. OK: it is not.
  absl::Status Why(uint64_t component) const {
    if (const absl::Status* why = latest_.Find(component)) return *why;
    if (component > forgotten_) return absl::OkStatus();
    return absl::FailedPreconditionError("the component was released, or never constructed");
  }
  size_t size() const { return latest_.size(); }

 private:
  static constexpr size_t kMost = 4096;

  base::Recent<uint64_t, absl::Status> latest_{kMost};
  uint64_t forgotten_ = 0;  // this one and older ones
};

}  // namespace twinkle::actor

// What a lazy is the result of.
#pragma once

#include <absl/status/status.h>
#include <twinkle/internal/class_info.h>

#include <memory>
#include <vector>

#include "runtime/base/call_name.h"
#include "runtime/object/failure_log.h"
#include "runtime/object/object_store.h"

namespace twinkle::internal {

// Constant once the lazy is made.
struct LazyOrigin {
  base::CallName what;              // "Policy.Generate [train.cc:78]", for messages
  const Type* result = nullptr;     // of a shard; null for void
  const Type* collected = nullptr;  // null for void
  // No rule is applied: it is of one rank, or a reference that came from another process, and what it is made of says
  // how that is joined.
  bool as_it_is = false;
  Collect rule = Collect::kFirst;
  codec::Padding padding;
  absl::Status (*own_collect)(const std::vector<void*>&, const DeviceMesh*, void* out) = nullptr;
  std::shared_ptr<const DeviceMesh> mesh;  // null: none
  AnswerOps answer;
  std::shared_ptr<object::ObjectStore> store;    // null for a lazy that fails at once
  std::shared_ptr<object::FailureLog> failures;  // may be null
};

}  // namespace twinkle::internal

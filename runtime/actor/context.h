// The context of user code that runs inside a call: where it is.
#pragma once

#include <twinkle/internal/rank_facts.h>

#include <memory>

#include "runtime/base/cancellation.h"

namespace twinkle::actor {

class Lane;
class UserApi;
struct RunningCall;

// The context of an object: the process that it is in.
struct ObjectContext {
  std::shared_ptr<UserApi> api;
  std::shared_ptr<const internal::RankFacts> facts;  // also of the contexts that user code keeps
};

// The context of a call: where its code runs.
struct CallContext {
  std::shared_ptr<const ObjectContext> object;
  Lane* lane = nullptr;                         // stays as long as calls on it are under way
  std::shared_ptr<RunningCall> call = nullptr;  // under way
};

// The calling thread's context; null outside calls.
const CallContext* CurrentContext();

// Sets the calling thread's context for a scope. What the thread waits for meanwhile it waits for on behalf of the call
// (base::Cancellation). For the thread that made it.
class ContextScope {
 public:
  explicit ContextScope(const CallContext* context);
  ~ContextScope();
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  const CallContext* const outer_;
  const base::CancellationScope cancellation_;
};

}  // namespace twinkle::actor

// What user code that runs inside a call can learn of where it is.
#pragma once

#include <twinkle/internal/rank_facts.h>

#include <atomic>
#include <memory>

namespace twinkle::actor {

class Lane;
class Process;

// Where an object is.
struct ObjectContext {
  std::shared_ptr<Process> process;
  std::shared_ptr<const internal::RankFacts> facts;  // also of the contexts that user code keeps
};

// Where the code of a call runs.
struct CallContext {
  std::shared_ptr<const ObjectContext> object;
  Lane* lane = nullptr;                                          // stays as long as calls on it are under way
  std::shared_ptr<const std::atomic<bool>> cancelled = nullptr;  // of the call under way
};

// The calling thread's context; null outside calls.
const CallContext* CurrentContext();

// Sets it for a scope.
class ContextScope {
 public:
  explicit ContextScope(const CallContext* context);
  ~ContextScope();
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  const CallContext* const outer_;
};

}  // namespace twinkle::actor

// What user code that runs inside a call can learn of where it is.
#pragma once

#include <twinkle/device_mesh.h>
#include <twinkle/internal/export.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace twinkle::actor {

class Lane;
class Process;

// Where an object is.
struct ObjectContext {
  std::shared_ptr<Process> process;
  int rank = 0;
  int world_size = 1;
  std::string group;
  std::optional<DeviceMesh> mesh;
  std::vector<int> devices;
  uint64_t component = 0;
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

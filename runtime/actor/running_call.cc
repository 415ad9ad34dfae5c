#include "runtime/actor/running_call.h"

#include <absl/time/time.h>

namespace twinkle::actor {

void SetLineage(RunningCall& call, CallId id, const std::optional<Lineage>& lineage, const base::Executor& executor) {
  call.id = id;
  call.trace = lineage ? lineage->trace : TraceOf(id);
  if (lineage && lineage->time_left_ns >= 0) call.deadline = executor.Now() + absl::Nanoseconds(lineage->time_left_ns);
}

// SplitMix64 of both numbers.
uint64_t TraceOf(CallId root) {
  uint64_t mixed = root.caller * 0x9e3779b97f4a7c15 + root.number;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return (mixed ^ (mixed >> 31)) | 1;
}

}  // namespace twinkle::actor

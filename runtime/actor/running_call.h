// A running call, as those see it that work for it: its method, and the calls that are made in that.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/actor/messages.h"
#include "runtime/base/cancellation.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"

namespace twinkle::actor {

struct OutgoingCall;

// One call while it runs. Owned by the call that arrived, by the contexts that its method was given, and by the calls
// that were made in it.
struct RunningCall {
  // Constant before its method begins.
  CallId id;
  uint64_t number = 0;                      // in its domain's order: the same on all ranks; 0: it has none
  uint64_t trace = 0;                       // the same for a root call and all that was called because of it
  base::Instant deadline = base::kForever;  // its caller waits no longer

  base::Cancellation cancellation;  // thread-safe

  // The calls made in it that have not settled, linked by OutgoingCall::JoinParent. On the service queue of the process
  // that runs it.
  OutgoingCall* children = nullptr;
};

// Gives a call the lineage that its message tells. The time that it has left is counted from now.
void SetLineage(RunningCall& call, CallId id, const std::optional<Lineage>& lineage, const base::Executor& executor);

// The trace of a root call, which whoever knows the call knows without being told. Never 0.
uint64_t TraceOf(CallId root);

}  // namespace twinkle::actor

// A call as those see it that work for it: the method that runs, and the calls that are made in it.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/actor/messages.h"
#include "runtime/base/cancellation.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"

namespace twinkle::actor {

struct OutgoingCall;

// Owned by the call that arrived, by the contexts that its method was given, and by the calls that were made in it.
struct RunningCall {
  // Constant before its method begins.
  CallId id;
  uint64_t trace = 0;                       // the same for a root call and all that was called because of it
  base::Instant deadline = base::kForever;  // its caller waits no longer

  base::Cancellation cancellation;  // thread-safe

  // On the service queue of the process that runs it: those made in it that have not settled, linked by
  // OutgoingCall::JoinParent.
  OutgoingCall* children = nullptr;
};

// What the call's message says of it; the time that it has left is counted from now.
void SetLineage(RunningCall& call, CallId id, const std::optional<Lineage>& lineage, const base::Executor& executor);

// The trace of a root call: who knows the call knows it without being told. Never 0.
uint64_t TraceOf(CallId root);

}  // namespace twinkle::actor

// The execution of a call on its lane: arguments made, the method run, the result made ready to be sent.
#pragma once

#include <twinkle/internal/class_info.h>

#include <cstddef>
#include <span>

#include "runtime/actor/incoming_call.h"

namespace twinkle::actor {

struct Services;

// The parameters of the method or constructor that the call is for; none when this program does not have it.
std::span<const internal::ParameterInfo> ParametersOf(const IncomingCall& call);

// Runs the call's operation on its instance, in the calling thread, which must be the instance's lane. User code runs
// in it; what that throws is in the outcome.
internal::Outcome RunOperation(IncomingCall& call, const Services& here);

// The reply to a caller in another process. The result becomes independent of the object; a result that nobody asked
// for is dropped. A result of up to `here.inline_bytes` travels along.
ReplyMessage ReplyFor(const IncomingCall& call, internal::Outcome& outcome, const ProcessOptions& here);

}  // namespace twinkle::actor

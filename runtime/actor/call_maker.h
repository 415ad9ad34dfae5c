// How the calls of a process are made, and given to its Caller.
#pragma once

#include <atomic>
#include <memory>

#include "runtime/actor/caller.h"
#include "runtime/actor/calls.h"
#include "runtime/actor/outgoing_call.h"
#include "runtime/actor/services.h"

namespace twinkle::actor {

// Thread-safe: for the threads that make calls.
class CallMaker {
 public:
  CallMaker(const Services* services, Caller* caller) : services_(*services), caller_(*caller) {}

  // A call to the component, whose parent is the one in whose method the thread is.
  std::shared_ptr<OutgoingCall> NewCall(Operation operation, const internal::ComponentRef& component,
                                        internal::CallSite site);
  // One of a method, with its lazy: that has failed already where the arguments are none that the call can take.
  // `leaves`: they leave this process.
  std::shared_ptr<OutgoingCall> NewMethodCall(const internal::ComponentRef& component, CallRequest& request,
                                              bool leaves);
  internal::LazyOrigin OriginFor(const OutgoingCall& call, const internal::Type* collected, internal::AnswerOps answer);

  // May block for room (PendingCalls::Add). The call's lazy settles in any case.
  void Submit(std::shared_ptr<OutgoingCall> call);
  // Waits where method, component or session say that calls do, without looking at a failure: the caller gets it from
  // the lazy.
  void AwaitIfSync(internal::LazyCore& core, const internal::ComponentRef& component, const CallRequest& request);

  // Whether the session's end has begun, and the calling thread is in no method: then it makes nothing any more.
  bool IsTooLate() const;

 private:
  const Services& services_;
  Caller& caller_;
  std::atomic<uint64_t> next_ = 1;
};

}  // namespace twinkle::actor

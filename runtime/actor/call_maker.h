// The maker of calls: it makes those of a process, and gives them to its Caller.
#pragma once

#include <atomic>
#include <memory>

#include "runtime/actor/caller.h"
#include "runtime/actor/calls.h"
#include "runtime/actor/outgoing_call.h"
#include "runtime/actor/services.h"

namespace twinkle::actor {

// Makes calls for the threads that want them. Thread-safe. A call that can be neither made nor sent fails its lazy.
class CallMaker {
 public:
  CallMaker(const Services* services, Caller* caller) : services_(*services), caller_(*caller) {}

  // Makes a call to the component. Its parent is the call in whose method the thread is.
  std::shared_ptr<OutgoingCall> NewCall(Operation operation, const internal::ComponentRef& component,
                                        internal::CallSite site);
  // Makes a call of a method, with its lazy. The lazy has failed already if the call cannot take the arguments.
  // `leaves`: they leave this process.
  std::shared_ptr<OutgoingCall> NewMethodCall(const internal::ComponentRef& component, CallRequest& request,
                                              bool leaves);
  internal::LazyOrigin OriginFor(const OutgoingCall& call, const internal::Type* collected, internal::AnswerOps answer);

  // Gives the call to the Caller. May block for room (PendingCalls::Add). The call's lazy settles in any case.
  void Submit(std::shared_ptr<OutgoingCall> call);
  // Waits for the call if its method, component or session says so. A failure is not looked at: the caller gets it from
  // the lazy.
  void AwaitIfSync(internal::LazyCore& core, const internal::ComponentRef& component, const CallRequest& request);

  // Whether the session's end has begun and the calling thread is in no method, so that it makes nothing any more.
  bool IsTooLate() const;

 private:
  const Services& services_;
  Caller& caller_;
  std::atomic<uint64_t> next_ = 1;
};

}  // namespace twinkle::actor

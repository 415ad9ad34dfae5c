// Values that a process makes objects of its own, so that others read them when they need them.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "runtime/actor/failure.h"
#include "runtime/actor/object_exchange.h"
#include "runtime/actor/outgoing_call.h"
#include "runtime/actor/services.h"
#include "runtime/base/event.h"
#include "runtime/object/lazy_core.h"

namespace twinkle::actor {

// Keeps values as objects of this process. Thread-safe. A value that cannot be kept goes with the call, or fails its
// lazy.
class Keeper {
 public:
  Keeper(const Services* services, ObjectExchange* objects) : services_(*services), objects_(*objects) {}

  // Makes a value an object. Returns at once, but for memory: see Keep. A failure is the lazy's.
  std::shared_ptr<internal::LazyCore> Put(const internal::Type& type, std::shared_ptr<void> value,
                                          internal::AnswerOps answer, internal::CallSite site);
  // Makes large arguments for several ranks on other machines objects of this process. Ranks pull them by relays, each
  // machine once. Other arguments go along with the call, as they were encoded here, and so does what cannot be made an
  // object.
  void ShareLargeArguments(OutgoingCall& call);
  // An event that is set when all that was given before is kept. Null: it is already, or this process has ended.
  std::shared_ptr<base::Event> WhenKept() const;

 private:
  // Makes the value an object of this process, to which `core` will refer. May run the user's code, and waits while
  // memory is being made free. ResourceExhausted: there is no room.
  absl::Status Keep(const std::shared_ptr<internal::LazyCore>& core, std::shared_ptr<const void> value, uint64_t bytes,
                    const CallFacts& maker);

  const Services& services_;
  ObjectExchange& objects_;
  std::atomic<size_t> keeping_ = 0;  // values that Keep has posted to the service queue
};

}  // namespace twinkle::actor

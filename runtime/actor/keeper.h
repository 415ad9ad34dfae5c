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

// Thread-safe.
class Keeper {
 public:
  Keeper(const Services* services, ObjectExchange* objects) : services_(*services), objects_(*objects) {}

  std::shared_ptr<internal::LazyCore> Put(const internal::Type& type, std::shared_ptr<void> value,
                                          internal::AnswerOps answer, internal::CallSite site);
  // Large values for several ranks on other machines become objects of this process, which they pull by relays, each
  // machine once. The others go along with the call, as they were encoded here, and so does what cannot be made an
  // object.
  void ShareLargeArguments(OutgoingCall& call);
  // The event is set when all that was given before is kept. Null: it is, or this process has ended.
  std::shared_ptr<base::Event> WhenKept() const;

 private:
  // Makes the value an object of this process, to which `core` will refer. ResourceExhausted. May run the user's code.
  absl::Status Keep(const std::shared_ptr<internal::LazyCore>& core, std::shared_ptr<const void> value, uint64_t bytes,
                    const CallFacts& maker);

  const Services& services_;
  ObjectExchange& objects_;
  std::atomic<size_t> keeping_ = 0;  // values that Keep has posted to the service queue
};

}  // namespace twinkle::actor

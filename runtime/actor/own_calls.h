// Calls that a process makes on its own objects, in another thread than the object's: no message carries them.
#pragma once

#include <absl/status/status.h>

#include <cstdint>

namespace twinkle::actor {

struct OutgoingCall;

// Who runs them. On the service queue.
class OwnCalls {
 public:
  virtual ~OwnCalls() = default;

  // Its turn in its caller's outbox has come; its arguments are there, and may be taken from it.
  virtual void OnOwnCall(OutgoingCall& call) = 0;
  // It has ended for its caller, and has been handed on before.
  virtual void OnOwnCancel(uint64_t call, const absl::Status& why) = 0;
};

}  // namespace twinkle::actor

// Calls that a process makes on its own objects, in another thread than the object's: no message carries them.
#pragma once

#include <absl/status/status.h>

#include <cstdint>

namespace twinkle::actor {

struct OutgoingCall;

// The runner of such calls. Called on the process's service queue.
class OwnCalls {
 public:
  virtual ~OwnCalls() = default;

  // The call's turn in its caller's outbox has come. Its arguments are there, and may be taken from it.
  virtual void OnOwnCall(OutgoingCall& call) = 0;
  // A call that was handed on before has ended for its caller.
  virtual void OnOwnCancel(uint64_t call, const absl::Status& why) = 0;
};

}  // namespace twinkle::actor

// Redial: decides what becomes of a broken connection.
#pragma once

#include <absl/time/time.h>

namespace twinkle::rpc {

// The decision about one broken connection. It does not mean that the peer is gone: the connection is made again,
// unless the peer's end is told first, or its machine is silent for too long. Time is counted in decisions, so a pause
// of this process is no silence of the peer. It has no clock and no connection. For one thread at a time.
class Redial {
 public:
  struct Limits {
    // How long the peer's machine may be silent.
    absl::Duration silence = absl::Seconds(6);
    // How long to wait for word of the peer's end, once its machine has said that nobody listens there.
    absl::Duration verdict = absl::Milliseconds(500);
  };
  // The answer of the peer's machine when asked for the peer. A process that is stopped is there (kHasIt). kUnknown:
  // the machine cannot be asked. That is not its own silence, so it is waited for ten times as long.
  enum class Machine { kSilent, kHasIt, kRefuses, kUnknown };
  // What the transport must do. kLoseSilent: the process may well live, and both sides must give each other up.
  enum class Action { kWait, kDial, kLoseGone, kLoseSilent };

  explicit Redial(const Limits& limits) : limits_(limits) {}

  // The connection has broken. From now on Decide must be called after each Pause, until there is a connection or the
  // peer is lost.
  void Begin();
  // The time until the next Decide.
  absl::Duration Pause() const;
  // Decides what to do, by the machine's answer. `dialling`: an attempt at a connection is under way.
  Action Decide(Machine machine, bool dialling);

 private:
  const Limits limits_;
  Machine machine_ = Machine::kSilent;  // at the last decision
  int decisions_ = 0;
  absl::Duration silent_ = absl::ZeroDuration();      // for how long the machine has been silent
  absl::Duration refused_ = absl::ZeroDuration();     // for how long it has said that nobody listens
  absl::Duration since_dial_ = absl::ZeroDuration();  // since the last attempt
  absl::Duration between_dials_ = absl::ZeroDuration();
};

}  // namespace twinkle::rpc

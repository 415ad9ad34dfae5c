// What becomes of a broken connection.
#pragma once

#include <absl/time/time.h>

namespace twinkle::rpc {

// A broken connection is a doubt, not a verdict: it is made again, unless the peer's end is told first. Who drives it
// says how much time has passed between two looks, so that a pause of this process is no silence of the peer's.
// Not thread-safe.
class Redial {
 public:
  struct Limits {
    // How long the machine of the peer may say nothing.
    absl::Duration silence = absl::Seconds(6);
    // How long the word of the peer's end is waited for, once its machine has said that nobody listens there.
    absl::Duration verdict = absl::Milliseconds(500);
  };
  // What the peer's machine says when it is asked for the peer. A process that is stopped is there. kUnknown: it cannot
  // be asked, which is no silence of its own; that is waited for ten times as long.
  enum class Machine { kSilent, kHasIt, kRefuses, kUnknown };
  // What is to be done. kLoseSilent: the process may well live; both sides are to give each other up.
  enum class Action { kWait, kDial, kLoseGone, kLoseSilent };

  explicit Redial(const Limits& limits) : limits_(limits) {}

  // The connection has broken: Look is to be called, from now on again and again until there is one.
  void Begin();
  // Until the next Look.
  absl::Duration Pause() const;
  // `dialling`: an attempt is under way.
  Action Look(Machine machine, bool dialling);

 private:
  const Limits limits_;
  Machine machine_ = Machine::kSilent;  // at the last look
  int looks_ = 0;
  absl::Duration silent_ = absl::ZeroDuration();
  absl::Duration refused_ = absl::ZeroDuration();
  absl::Duration since_dial_ = absl::ZeroDuration();
  absl::Duration between_dials_ = absl::ZeroDuration();
};

}  // namespace twinkle::rpc

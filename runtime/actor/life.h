// The life of a process: how far it has come.
#pragma once

#include <atomic>

namespace twinkle::actor {

// The stage that a process has reached; it never goes back. Thread-safe.
class Life {
 public:
  enum class Stage {
    kRunning,
    kEnding,   // the job ends: peers that are lost from now on have not failed
    kStopped,  // its transport and its service queue are closed
    kJoined,   // its threads have ended, or were abandoned
  };

  // Goes on to a stage. False: the process has come so far already.
  bool Reach(Stage stage) {
    Stage now = stage_;
    while (now < stage) {
      if (stage_.compare_exchange_weak(now, stage)) return true;
    }
    return false;
  }
  bool ending() const { return stage_ >= Stage::kEnding; }
  bool stopped() const { return stage_ >= Stage::kStopped; }

 private:
  std::atomic<Stage> stage_ = Stage::kRunning;
};

}  // namespace twinkle::actor

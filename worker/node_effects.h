// What a node's state machine wants done.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"
#include "proto/twinkle/v1/local.pb.h"

namespace twinkle::worker {

struct ToDriver {
  v1::NodeToDriver message;
};
struct ToProcess {
  uint64_t process = 0;
  v1::ToWorker message;
};
// Answered by OnProgramReady.
struct BringProgram {
  v1::StartJob start;
};
// Answered by OnProgramGone, once that process of this node's PID namespace has ended.
struct WatchProgram {
  uint64_t job = 0;
  int pid = 0;
};
// Answered by OnStarted or OnNotStarted; after the first by OnEnded.
struct StartProcess {
  uint64_t process = 0;
};
struct SignalProcess {
  uint64_t process = 0;
  int number = 0;
};
// It has ended: what connects it with this daemon is closed.
struct CloseProcess {
  uint64_t process = 0;
};
// Nothing of the job runs: its program, its files and what was kept of its output go.
struct DropJob {
  uint64_t job = 0;
};
// Answered by OnTimer, also when nobody waits for it any more.
struct SetTimer {
  enum class Kind {
    kBring,  // of a job: its program and files were to be here
    kStart,  // of a process: it was to reach Initialize
    kKill,   // of a job: its processes were to have ended by themselves
  };
  Kind kind = Kind::kBring;
  uint64_t key = 0;
  uint64_t connection = 0;  // of the job: another driver may give the same numbers again
  absl::Duration after;
};
// For people.
struct Say {
  std::string text;
};
// For those who watch what a process prints.
struct Note {
  uint64_t process = 0;
  std::string text;
};

using Effect = std::variant<ToDriver, ToProcess, BringProgram, WatchProgram, StartProcess, SignalProcess, CloseProcess,
                            DropJob, SetTimer, Say, Note>;
using Effects = std::vector<Effect>;

}  // namespace twinkle::worker

// Effects: what NodeState wants the node daemon to do.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"
#include "proto/twinkle/v1/local.pb.h"

namespace twinkle::worker {

// Sends a message to the driver.
struct ToDriver {
  v1::NodeToDriver message;
};
// Sends a message to a worker process.
struct ToProcess {
  uint64_t process = 0;
  v1::ToWorker message;
};
// Brings the program and the files of a job to this node. Answered by OnProgramReady.
struct BringProgram {
  v1::StartJob start;
};
// Watches the program, a process of this node's PID namespace. Answered by OnProgramGone when it has ended.
struct WatchProgram {
  uint64_t job = 0;
  int pid = 0;
};
// Starts a worker process. Answered by OnStarted or OnNotStarted; after OnStarted, by OnEnded.
struct StartProcess {
  uint64_t process = 0;
};
// Sends a signal to a worker process and its process group.
struct SignalProcess {
  uint64_t process = 0;
  int number = 0;
};
// Closes the sockets and pipes of a process that has ended.
struct CloseProcess {
  uint64_t process = 0;
};
// Removes the program, the files and the kept output of a job, of which no process is left.
struct DropJob {
  uint64_t job = 0;
};
// Sets a timer. Answered by OnTimer, even when the wait has become pointless: there is no effect that stops a timer.
struct SetTimer {
  enum class Kind {
    kBring,  // of a job: the limit for its program and files to be on this node
    kStart,  // of a process: the limit to reach Initialize
    kKill,   // of a job: the limit for its processes to end by themselves
  };
  Kind kind = Kind::kBring;
  uint64_t key = 0;         // the job's number, or the process's id
  uint64_t connection = 0;  // of the job's driver: another driver may give the same numbers again
  absl::Duration after;
};
// Writes a line to the daemon's log.
struct Say {
  std::string text;
};
// Adds a line of the daemon's own to the output of a process, for those who watch it.
struct Note {
  uint64_t process = 0;
  std::string text;
};

using Effect = std::variant<ToDriver, ToProcess, BringProgram, WatchProgram, StartProcess, SignalProcess, CloseProcess,
                            DropJob, SetTimer, Say, Note>;
using Effects = std::vector<Effect>;

}  // namespace twinkle::worker

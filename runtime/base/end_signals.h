// SIGINT and SIGTERM as something to read, or as what ends a service.
#pragma once

#include <csignal>

namespace twinkle::base {

// They end nothing any more, and no other signal is blocked. Before the first thread, which hands it on to all others.
// In one step: one of them that had come while it was blocked waits to be read.
void BlockEndSignals();

// A descriptor, the caller's own, that can be read once one of them has come; negative: the process has no room for
// more descriptors.
int EndSignalFd();

// While it lives, they end the process at once, in the thread that has made it: for a start that may wait for a disk.
// The process ends by the signal; as the init of its PID namespace, as which no signal ends it, with 128 and the
// signal's number. One at a time; then they are blocked, with the actions they had.
class EndSignalsEnd {
 public:
  EndSignalsEnd();
  ~EndSignalsEnd();
  EndSignalsEnd(const EndSignalsEnd&) = delete;
  EndSignalsEnd& operator=(const EndSignalsEnd&) = delete;

 private:
  struct sigaction interrupt_ {};
  struct sigaction terminate_ {};
};

}  // namespace twinkle::base

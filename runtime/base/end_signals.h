// SIGINT and SIGTERM, as something to read, or as the end of a service.
#pragma once

#include <csignal>

namespace twinkle::base {

// Blocks SIGINT and SIGTERM, so that they end nothing and can be read; unblocks all other signals. To be called before
// the first thread, from which all others inherit it. It is one step: a signal that came while it was blocked can be
// read afterwards.
void BlockEndSignals();

// A descriptor that can be read once one of the two signals has come; the caller closes it. Negative: the process has
// no more descriptors.
int EndSignalFd();

// While it exists, SIGINT and SIGTERM end the process at once, in the thread that made it: for a start that may wait
// for a disk. The process ends by the signal. The init of a PID namespace, which no signal ends, exits with 128 and the
// signal's number. One at a time. Afterwards the signals are blocked again, with the dispositions that they had.
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

// SIGINT and SIGTERM as something to read, or as what ends a service.
#pragma once

namespace twinkle::base {

// They end nothing any more. Before the first thread, which hands it on to all others.
void BlockEndSignals();

// A descriptor, the caller's own, that can be read once one of them has come; negative: the process has no room for
// more descriptors.
int EndSignalFd();

// While it lives, they end the process at once, in the thread that has made it: for a start that may wait for a disk.
class EndSignalsEnd {
 public:
  EndSignalsEnd();
  ~EndSignalsEnd();
  EndSignalsEnd(const EndSignalsEnd&) = delete;
  EndSignalsEnd& operator=(const EndSignalsEnd&) = delete;
};

}  // namespace twinkle::base

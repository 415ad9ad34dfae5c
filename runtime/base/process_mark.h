// ProcessMark: a process of this machine, which is told apart from later ones with the same number.
#pragma once

#include <cstdint>

namespace twinkle::base {

// A process's number together with its start. Thread-safe.
struct ProcessMark {
  int pid = 0;           // 0: no process
  uint64_t started = 0;  // in clock ticks since the machine's start

  // The process that has this number now; pid 0: there is none, or it has ended.
  static ProcessMark Of(int pid);

  // Whether the process has ended, so that it maps no memory any more. A zombie has ended. Once true it stays true.
  // False, too, if it cannot be told, for example without a free descriptor.
  bool HasEnded() const;

  // A new descriptor of the process (a pidfd), which can be read once the process has ended; the caller closes it. -1:
  // the process has ended, or errno says why there is no descriptor.
  int Open() const;
};

}  // namespace twinkle::base

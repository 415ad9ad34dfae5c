// A process of this machine, told from others that get its number later.
#pragma once

#include <cstdint>

namespace twinkle::base {

struct ProcessMark {
  int pid = 0;           // 0: no process
  uint64_t started = 0;  // in clock ticks since the machine's start

  // The process that has this number now; none when there is none, or when it has ended.
  static ProcessMark Of(int pid);

  // Whether the process has ended, so that it maps no memory any more. One that its parent has not waited for has
  // ended, too. False while that cannot be told, as when no
  // descriptor is left. Never true again false.
  bool HasEnded() const;

  // A new descriptor (a pidfd), which can be read once the process has ended. -1: it has ended, or errno says why there
  // is none.
  int Open() const;
};

}  // namespace twinkle::base

// The signals of this process as they were when it began, before its main could change them: its worker processes begin
// with the same.
#pragma once

#include <cstdint>

namespace twinkle::internal {

// Signals as bits: bit n - 1 stands for signal n.
struct StartSignals {
  uint64_t ignored = 0;
  uint64_t blocked = 0;
};

// The signals as they were when this process began. Thread-safe.
const StartSignals& SignalsAtStart();

}  // namespace twinkle::internal

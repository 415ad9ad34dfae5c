// The signals of this process as they were when it began, before its main could change them: its worker processes begin
// with the same.
#pragma once

#include <cstdint>

namespace twinkle::internal {

// Bit n - 1 stands for signal n.
struct StartSignals {
  uint64_t ignored = 0;
  uint64_t blocked = 0;
};

// Thread-safe.
const StartSignals& SignalsAtStart();

}  // namespace twinkle::internal

// What NVIDIA's driver says of this machine's devices. Nothing is linked to it: where it is not installed there are
// none.
#pragma once

namespace twinkle::device {

struct NvmlAnswer {
  bool library = false;  // it is installed
  int init = 0;          // what nvmlInit gives: 0 when the driver answers; negative: the library is not NVML
  int devices = 0;       // that the driver answers for
};

// Loads the library for a moment. Blocks while a driver wakes up. Thread-safe.
NvmlAnswer AskNvml(const char* library = "libnvidia-ml.so.1");

}  // namespace twinkle::device

// NVIDIA's devices of this machine, as its driver reports them. The library is not linked; where it is not installed
// there are no devices.
#pragma once

namespace twinkle::device {

// What NVIDIA's management library answers.
struct NvmlAnswer {
  bool library = false;  // it is installed
  int init = 0;          // of nvmlInit: 0: the driver answers; negative: the library is not NVML
  int devices = 0;       // number of devices for which the driver answers
};

// Asks the library, which is loaded for that moment. Blocks while a driver wakes up. Thread-safe.
NvmlAnswer AskNvml(const char* library = "libnvidia-ml.so.1");

}  // namespace twinkle::device

#include "runtime/device/nvml.h"

#include <dlfcn.h>

namespace twinkle::device {
namespace {

// Of the library, in version 2 of its interface.
struct Nvml {
  explicit Nvml(void* library)
      : init(reinterpret_cast<int (*)()>(::dlsym(library, "nvmlInit_v2"))),
        count(reinterpret_cast<int (*)(unsigned int*)>(::dlsym(library, "nvmlDeviceGetCount_v2"))),
        shutdown(reinterpret_cast<int (*)()>(::dlsym(library, "nvmlShutdown"))) {}
  bool there() const { return init != nullptr && count != nullptr && shutdown != nullptr; }

  int (*const init)();
  int (*const count)(unsigned int*);
  int (*const shutdown)();
};

}  // namespace

NvmlAnswer AskNvml(const char* library) {
  void* const loaded = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr) return {};
  NvmlAnswer answer{.library = true, .init = -1};
  const Nvml nvml(loaded);
  if (nvml.there()) answer.init = nvml.init();
  if (answer.init == 0) {
    unsigned int count = 0;
    if (nvml.count(&count) == 0) answer.devices = static_cast<int>(count);
    nvml.shutdown();
  }
  ::dlclose(loaded);
  return answer;
}

}  // namespace twinkle::device

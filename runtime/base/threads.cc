#include "runtime/base/threads.h"

#include <pthread.h>

#include <system_error>
#include <utility>

#include "runtime/base/executor.h"

namespace twinkle::base {

absl::StatusOr<std::thread> StartThread(const char* name, std::function<void()> main) {
  try {
    return std::thread([name, main = std::move(main)] {
      pthread_setname_np(pthread_self(), name);
      main();
    });
  } catch (const std::system_error&) {
    return NoThread();
  }
}

}  // namespace twinkle::base

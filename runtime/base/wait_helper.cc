#include "runtime/base/wait_helper.h"

#include <atomic>

#include "runtime/base/mutex.h"

namespace twinkle::base {
namespace {

struct Installed {
  std::atomic<bool> any = false;  // spares the lock where there never was one
  Mutex mutex;
  std::weak_ptr<WaitHelper> helper ABSL_GUARDED_BY(mutex);
};
Installed& TheInstalled() {
  static auto& installed = *new Installed;  // threads may outlive everything else
  return installed;
}

}  // namespace

void SetWaitHelper(const std::weak_ptr<WaitHelper>& helper) {
  MutexLock lock(&TheInstalled().mutex);
  TheInstalled().helper = helper;
  TheInstalled().any = true;
}

std::shared_ptr<WaitHelper> TheWaitHelper() {
  if (!TheInstalled().any) return nullptr;
  MutexLock lock(&TheInstalled().mutex);
  return TheInstalled().helper.lock();
}

}  // namespace twinkle::base

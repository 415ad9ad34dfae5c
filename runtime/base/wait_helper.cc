#include "runtime/base/wait_helper.h"

#include "runtime/base/installed.h"

namespace twinkle::base {
namespace {

Installed<WaitHelper>& InstalledWaitHelper() {
  static auto& installed = *new Installed<WaitHelper>;
  return installed;
}

}  // namespace

void SetWaitHelper(const std::weak_ptr<WaitHelper>& helper) { InstalledWaitHelper().Set(helper); }

std::shared_ptr<WaitHelper> TheWaitHelper() { return InstalledWaitHelper().Get(); }

}  // namespace twinkle::base

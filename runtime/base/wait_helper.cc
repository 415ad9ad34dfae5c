#include "runtime/base/wait_helper.h"

#include "runtime/base/installed.h"

namespace twinkle::base {
namespace {

Installed<WaitHelper>& TheInstalled() {
  static auto& installed = *new Installed<WaitHelper>;
  return installed;
}

}  // namespace

void SetWaitHelper(const std::weak_ptr<WaitHelper>& helper) { TheInstalled().Set(helper); }

std::shared_ptr<WaitHelper> TheWaitHelper() { return TheInstalled().Get(); }

}  // namespace twinkle::base

#include "runtime/base/end_signals.h"

#include <sys/signalfd.h>

#include <csignal>

namespace twinkle::base {
namespace {

sigset_t EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

void BlockEndSignals() {
  const sigset_t signals = EndSignals();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
}

int EndSignalFd() {
  const sigset_t signals = EndSignals();
  return ::signalfd(-1, &signals, SFD_CLOEXEC);
}

EndSignalsEnd::EndSignalsEnd() {
  const sigset_t signals = EndSignals();
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

EndSignalsEnd::~EndSignalsEnd() {
  const sigset_t signals = EndSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace twinkle::base

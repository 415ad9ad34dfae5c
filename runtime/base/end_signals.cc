#include "runtime/base/end_signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace twinkle::base {
namespace {

sigset_t EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

// Restores the default disposition, which ends the process by the signal. The init of a PID namespace exits instead,
// since the kernel delivers no such signal to it.
void EndBy(int signal) {
  ::raise(signal);
  ::_exit(128 + signal);
}

}  // namespace

void BlockEndSignals() {
  const sigset_t signals = EndSignals();
  ::sigprocmask(SIG_SETMASK, &signals, nullptr);
}

int EndSignalFd() {
  const sigset_t signals = EndSignals();
  return ::signalfd(-1, &signals, SFD_CLOEXEC);
}

EndSignalsEnd::EndSignalsEnd() {
  struct sigaction end {};
  end.sa_handler = &EndBy;
  end.sa_flags = SA_RESETHAND | SA_NODEFER;
  ::sigaction(SIGINT, &end, &interrupt_);
  ::sigaction(SIGTERM, &end, &terminate_);
  const sigset_t signals = EndSignals();
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

// Blocks first, so that a signal that comes meanwhile waits to be read.
EndSignalsEnd::~EndSignalsEnd() {
  const sigset_t signals = EndSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::sigaction(SIGINT, &interrupt_, nullptr);
  ::sigaction(SIGTERM, &terminate_, nullptr);
}

}  // namespace twinkle::base

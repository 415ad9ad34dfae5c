#include "client/src/start_signals.h"

#include <csignal>

namespace twinkle::internal {
namespace {

constexpr int kSignals = 64;

StartSignals at_start;

// Notes the signals when the library is loaded, which is before main.
__attribute__((constructor)) void NoteSignals() {
  sigset_t blocked;
  sigemptyset(&blocked);
  ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
  for (int number = 1; number <= kSignals; ++number) {
    const uint64_t bit = uint64_t{1} << (number - 1);
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) at_start.ignored |= bit;
    if (sigismember(&blocked, number) == 1) at_start.blocked |= bit;
  }
}

}  // namespace

const StartSignals& SignalsAtStart() { return at_start; }

}  // namespace twinkle::internal

// Poller: which thread looks for input, among those that wait for it and a service thread.
#pragma once

#include <absl/time/time.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>

#include "runtime/base/clock.h"
#include "runtime/base/mutex.h"
#include "runtime/base/wait_helper.h"
#include "runtime/rpc/near/doorbell.h"

namespace twinkle::rpc {

// Hands polling from thread to thread, like a baton. A thread that waits in Help polls for the process, and so finds
// what it waits for without being woken by another. A service thread polls when nobody waits, or when the waiting
// threads have polled for too long. A thread that finds nothing polls on for `patience` before it sleeps, and yields
// the processor between two polls: waking a thread costs ten times a call. While much arrives that nobody waits for,
// the service thread naps between two polls. It then takes what has arrived in one go, and leaves the processor to
// those who produce the input and use it (measured with two cores and a thousand calls under way: a quarter more calls
// a second, and half the spread). Thread-safe. Ends with Close. Invariants:
//  PO1 one thread polls at a time;
//  PO2 after the bell was rung there is a poll: by the thread that polls at the time, or by the one that the bell
//      wakes;
//  PO3 a sleeping thread looks again after half a second at the latest, whatever peers write into the bell's page.
class Poller final : public base::WaitHelper {
 public:
  struct Options {
    // How long a thread polls without finding anything, before it sleeps.
    absl::Duration patience = absl::Microseconds(100);
    absl::Duration nap = absl::Microseconds(150);  // pause of the service thread between two polls, while much arrives
  };
  // Takes what the bell was rung for, and returns how many pieces that was. With `everywhere` it looks for all input,
  // also where somebody forgot to ring. Must not block.
  using Poll = std::function<size_t(bool everywhere)>;

  // Starts a poller with its service thread. Null: the system gives no thread.
  static std::shared_ptr<Poller> Start(std::shared_ptr<const Doorbell> bell, Poll poll, Options options);
  ~Poller() override { Close(); }

  // Ends polling: when it returns no thread polls, and threads in Help leave it. Must not be called from within a poll.
  // Further calls do nothing.
  void Close();

  bool Help(absl::FunctionRef<bool()> done, base::Instant deadline) override;
  void Wake() override;

 private:
  class Turn;
  Poller(std::shared_ptr<const Doorbell> bell, Poll poll, Options options);
  // The service thread.
  void Serve();
  // Takes the baton. False: another thread has it, or the poller is closed.
  bool Begin();
  // Gives the baton back. `polled`: the bell's count before the last poll.
  void End(uint32_t polled);
  // Naps without the baton. Returns whether the service thread has it again.
  bool Nap();
  // Sets which sleeper the bell wakes.
  void Listen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sleeps until the bell rings, for half a second, or until the deadline. False: another thread in Help sleeps, or the
  // poller is closed; it did not sleep.
  bool Sleep(absl::FunctionRef<bool()> done, base::Instant deadline);

  const std::shared_ptr<const Doorbell> bell_;
  const Poll poll_;
  const Options options_;
  std::thread service_;
  // Threads in Help without the baton; while there are any the service thread gives it up.
  std::atomic<int> wanting_ = 0;
  std::atomic<bool> closed_ = false;

  base::Mutex mutex_;
  base::CondVar idle_;
  bool polling_ ABSL_GUARDED_BY(mutex_) = false;   // some thread has the baton
  bool sleeping_ ABSL_GUARDED_BY(mutex_) = false;  // a thread in Help sleeps
  bool napping_ ABSL_GUARDED_BY(mutex_) = false;   // the service thread naps, and polls afterwards
};

}  // namespace twinkle::rpc

// Who looks for input: the thread that waits for it, if there is one.
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

// Polling is handed on like a baton: a thread that waits in Help polls for the process, and finds what it waits for
// without being woken by another; a service thread polls when nobody waits, or when those who wait are at it too long.
// A thread without work looks around for a while before it sleeps, and lets others have the processor between two
// looks: to be woken costs ten times what a call does. While much is coming that nobody waits for, the service thread
// naps between two polls instead: what has come meanwhile is taken in one go, and the processor is left to those who
// make the input and who use it (measured with two cores and a thousand calls under way: a quarter more calls a second,
// and half the spread). Invariants:
//  PO1 one thread polls at a time;
//  PO2 whatever the bell was rung for is polled for afterwards: by the thread that is at it, or by the one that the
//      bell wakes;
//  PO3 who sleeps looks again after half a second at the latest, whatever peers write into the bell's page.
// Thread-safe.
class Poller final : public base::WaitHelper {
 public:
  struct Options {
    absl::Duration patience = absl::Microseconds(100);  // without work, before it sleeps
    absl::Duration nap = absl::Microseconds(150);       // of the service thread, while much is coming
  };
  // Takes what the bell was rung for, or, `everywhere`, what there is though somebody forgot to ring; how many pieces
  // it was. It must not wait for anything.
  using Poll = std::function<size_t(bool everywhere)>;

  // Null: there is no thread for it.
  static std::shared_ptr<Poller> Start(std::shared_ptr<const Doorbell> bell, Poll poll, Options options);
  ~Poller() override { Close(); }

  // Nobody polls any more once this has returned; threads in Help leave it. Idempotent; not from within a poll.
  void Close();

  bool Help(absl::FunctionRef<bool()> done, base::Instant deadline) override;
  void Wake() override;

 private:
  class Turn;
  Poller(std::shared_ptr<const Doorbell> bell, Poll poll, Options options);
  void Serve();
  bool Begin();               // whether it is this thread that polls now
  void End(uint32_t polled);  // the bell's count before the last poll
  bool Nap();                 // of the service thread, which polls: whether it does so again
  void Listen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sleeps until the bell rings, half a second or the deadline, if nobody else in Help sleeps: else false.
  bool Sleep(absl::FunctionRef<bool()> done, base::Instant deadline);

  const std::shared_ptr<const Doorbell> bell_;
  const Poll poll_;
  const Options options_;
  std::thread service_;
  std::atomic<int> wanting_ = 0;  // threads in Help that do not poll, because another does
  std::atomic<bool> closed_ = false;

  base::Mutex mutex_;
  base::CondVar idle_;
  bool polling_ ABSL_GUARDED_BY(mutex_) = false;   // some thread does
  bool sleeping_ ABSL_GUARDED_BY(mutex_) = false;  // a thread in Help does
  bool napping_ ABSL_GUARDED_BY(mutex_) = false;   // the service thread does, and polls afterwards
};

}  // namespace twinkle::rpc

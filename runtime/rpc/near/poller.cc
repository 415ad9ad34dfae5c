#include "runtime/rpc/near/poller.h"

#include <absl/time/clock.h>
#include <sched.h>

#include <algorithm>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/threads.h"

namespace twinkle::rpc {
namespace {

// The longest sleep. A frame whose sender was stopped before it woke anybody is noticed that late at worst; so does a
// waiter that nobody woke find what it waits for.
constexpr absl::Duration kLongestSleep = absl::Milliseconds(500);

// The pace of input: whether at least kMuch pieces arrive in a millisecond.
class Pace {
 public:
  bool IsHigh(size_t found, base::Instant now) {
    if (now - since_ >= kSpan) {
      before_ = now - since_ < 2 * kSpan ? found_ : 0;
      found_ = 0;
      since_ = now;
    }
    found_ += found;
    return std::max(found_, before_) >= kMuch;
  }

 private:
  static constexpr absl::Duration kSpan = absl::Milliseconds(1);
  static constexpr size_t kMuch = 8;
  base::Instant since_ = base::kLongAgo;
  size_t found_ = 0;   // pieces since then
  size_t before_ = 0;  // pieces in the span before
};

}  // namespace

Poller::Poller(std::shared_ptr<const Doorbell> bell, Poll poll, Options options)
    : bell_(std::move(bell)), poll_(std::move(poll)), options_(options) {}

std::shared_ptr<Poller> Poller::Start(std::shared_ptr<const Doorbell> bell, Poll poll, Options options) {
  std::shared_ptr<Poller> poller(new Poller(std::move(bell), std::move(poll), options));
  absl::StatusOr<std::thread> service = base::StartThread("twinkle.rings", [self = poller.get()] { self->Serve(); });
  if (!service.ok()) return nullptr;
  poller->service_ = *std::move(service);
  return poller;
}

void Poller::Close() {
  if (closed_.exchange(true)) return;
  bell_->WakeAll();
  if (service_.joinable()) service_.join();
  base::MutexLock lock(&mutex_);
  while (polling_) idle_.Wait(&mutex_);
}

void Poller::Listen() {
  Doorbell::Listener listener = Doorbell::kService;
  if (polling_) {
    listener = Doorbell::kNobody;
  } else if (sleeping_) {
    listener = Doorbell::kWaiter;
  } else if (napping_) {
    listener = Doorbell::kNobody;
  }
  bell_->Listen(listener);
}

bool Poller::Begin() {
  base::MutexLock lock(&mutex_);
  if (polling_ || closed_) return false;
  polling_ = true;
  Listen();
  return true;
}

void Poller::End(uint32_t polled) {
  {
    base::MutexLock lock(&mutex_);
    polling_ = false;
    Listen();
    if (closed_) idle_.SignalAll();
  }
  if (bell_->count() != polled) bell_->Ring();  // the bell was rung while it woke nobody
}

// The bell wakes nobody during a nap, except a thread in Help. Other threads may poll meanwhile.
bool Poller::Nap() {
  {
    base::MutexLock lock(&mutex_);
    polling_ = false;
    napping_ = true;
    Listen();
    if (closed_) idle_.SignalAll();
  }
  absl::SleepFor(options_.nap);
  base::MutexLock lock(&mutex_);
  napping_ = false;
  const bool mine = !polling_ && !closed_;
  polling_ = polling_ || mine;
  Listen();
  return mine;
}

void Poller::Serve() {
  Pace pace;
  while (true) {
    uint32_t polled = bell_->count();
    bool mine = Begin();
    bool everywhere = true;  // the first poll after a sleep looks everywhere
    base::Instant until = base::Now() + options_.patience;
    while (mine) {
      polled = bell_->count();
      const size_t found = poll_(std::exchange(everywhere, false));
      if (closed_ || wanting_ > 0) break;
      const base::Instant now = base::Now();
      if (found > 0) until = now + options_.patience;
      if (pace.IsHigh(found, now)) {
        mine = Nap();
      } else if (now >= until) {
        break;
      } else if (found == 0) {
        ::sched_yield();
      }
    }
    if (mine) End(polled);
    if (closed_) return;  // read after the count, which Close changes after it has set this
    bell_->Wait(polled, Doorbell::kService, base::Now() + kLongestSleep);
  }
}

// The polling of one thread while it is in Help: whether it has the baton, or wants it.
class Poller::Turn {
 public:
  explicit Turn(Poller* poller) : poller_(*poller) {}
  ~Turn() { Give(); }

  // Polls, unless another thread does. Returns whether it found something.
  bool Poll(bool everywhere) {
    if (!mine_) {
      mine_ = poller_.Begin();
      Want(!mine_);
    }
    if (!mine_) return false;
    polled_ = poller_.bell_->count();
    return poller_.poll_(everywhere) > 0;
  }
  // Gives the baton back, and wants it no more.
  void Give() {
    if (std::exchange(mine_, false)) poller_.End(polled_);
    Want(false);
  }

 private:
  void Want(bool want) {
    if (want && !wants_) ++poller_.wanting_;
    if (!want && wants_) --poller_.wanting_;
    wants_ = want;
  }

  Poller& poller_;
  bool mine_ = false;
  bool wants_ = false;
  uint32_t polled_ = 0;
};

bool Poller::Help(absl::FunctionRef<bool()> done, base::Instant deadline) {
  Turn turn(this);
  base::Instant until = base::Now() + options_.patience;
  while (!done()) {
    if (closed_) return false;
    const bool found = turn.Poll(/*everywhere=*/false);
    const base::Instant now = base::Now();
    if (now >= deadline) return done();
    if (found) {
      until = now + options_.patience;
    } else if (now < until) {
      ::sched_yield();
    } else {
      turn.Give();
      if (!Sleep(done, deadline)) return done();
      turn.Poll(/*everywhere=*/true);  // the bell may have rung for more than this thread waits for
      until = base::Now() + options_.patience;
    }
  }
  return true;
}

bool Poller::Sleep(absl::FunctionRef<bool()> done, base::Instant deadline) {
  const uint32_t seen = bell_->count();
  {
    base::MutexLock lock(&mutex_);
    if (sleeping_ || closed_) return false;
    sleeping_ = true;
    Listen();
  }
  // Rings between the last poll and now are polled for by the thread that they woke. A peer that writes into the page
  // may swallow a ring for this thread, so it also wakes by itself.
  if (!done()) bell_->Wait(seen, Doorbell::kWaiter, std::min(deadline, base::Now() + kLongestSleep));
  base::MutexLock lock(&mutex_);
  sleeping_ = false;
  Listen();
  return true;
}

void Poller::Wake() {
  {
    base::MutexLock lock(&mutex_);
    if (!sleeping_) return;  // only a sleeping thread needs to be woken
  }
  bell_->Wake(Doorbell::kWaiter);
}

}  // namespace twinkle::rpc

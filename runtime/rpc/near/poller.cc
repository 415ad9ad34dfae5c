#include "runtime/rpc/near/poller.h"

#include <absl/time/clock.h>
#include <sched.h>

#include <algorithm>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/threads.h"

namespace twinkle::rpc {
namespace {

// How late a frame is noticed at worst, whose sender was stopped before it woke anybody; and how late a waiter that
// nobody woke sees that what it waits for is there.
constexpr absl::Duration kLongestSleep = absl::Milliseconds(500);

// Whether much is coming: so many pieces in a millisecond.
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
  size_t found_ = 0;   // since then
  size_t before_ = 0;  // in the span before
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
  bell_->Listen(polling_    ? Doorbell::kNobody
                : sleeping_ ? Doorbell::kWaiter
                : napping_  ? Doorbell::kNobody
                            : Doorbell::kService);
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
  if (bell_->count() != polled) bell_->Ring();  // it was rung while nobody was to be woken
}

// Whoever rings meanwhile wakes nobody for it. Others may poll.
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
    bool everywhere = true;  // after each sleep
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
    if (closed_) return;  // looked at after the count, which Close changes afterwards
    bell_->Wait(polled, Doorbell::kService, base::Now() + kLongestSleep);
  }
}

// A thread's part in polling, while it is in Help.
class Poller::Turn {
 public:
  explicit Turn(Poller* poller) : poller_(*poller) {}
  ~Turn() { Give(); }

  // Polls, unless another thread does; whether there was something.
  bool Poll(bool everywhere) {
    if (!mine_) Want(!(mine_ = poller_.Begin()));
    if (!mine_) return false;
    polled_ = poller_.bell_->count();
    return poller_.poll_(everywhere) > 0;
  }
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
  // What was rung for between the last poll and this is polled for by whom the bell woke then.
  // What a peer writes into the page may swallow what this thread is woken by, so it also wakes by itself.
  if (!done()) bell_->Wait(seen, Doorbell::kWaiter, std::min(deadline, base::Now() + kLongestSleep));
  base::MutexLock lock(&mutex_);
  sleeping_ = false;
  Listen();
  return true;
}

void Poller::Wake() {
  {
    base::MutexLock lock(&mutex_);
    if (!sleeping_) return;  // the others look by themselves
  }
  bell_->Wake(Doorbell::kWaiter);
}

}  // namespace twinkle::rpc

#include "runtime/rpc/poller.h"

#include <absl/time/clock.h>
#include <pthread.h>
#include <sched.h>

#include <utility>

namespace twinkle::rpc {

Poller::Poller(std::shared_ptr<const Doorbell> bell, Poll poll, Options options)
    : bell_(std::move(bell)), poll_(std::move(poll)), options_(options) {
  service_ = std::thread([this] { Serve(); });
}

void Poller::Close() {
  if (closed_.exchange(true)) return;
  bell_->WakeAll();
  service_.join();
  base::MutexLock lock(&mutex_);
  while (polling_) idle_.Wait(&mutex_);
}

void Poller::Listen() {
  bell_->Listen(polling_ ? Doorbell::kNobody : sleeping_ ? Doorbell::kWaiter : Doorbell::kService);
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

void Poller::Serve() {
  pthread_setname_np(pthread_self(), "twinkle.rings");
  while (true) {
    uint32_t polled = bell_->count();
    if (Begin()) {
      absl::Time until = absl::Now() + options_.patience;
      while (true) {
        polled = bell_->count();
        const bool found = poll_();
        if (closed_ || wanting_ > 0) break;
        const absl::Time now = absl::Now();
        if (found) {
          until = now + options_.patience;
          continue;
        }
        if (now >= until) break;
        ::sched_yield();
      }
      End(polled);
    }
    if (closed_) return;  // looked at after the count, which Close changes afterwards
    bell_->Wait(polled, Doorbell::kService, absl::InfiniteFuture());
  }
}

bool Poller::Help(absl::FunctionRef<bool()> done, absl::Time deadline) {
  bool mine = false;
  bool wanting = false;
  bool is_done = false;
  uint32_t polled = 0;
  absl::Time until = absl::Now() + options_.patience;
  while (true) {
    is_done = done();
    if (is_done || closed_) break;
    if (!mine && (mine = Begin()) == wanting) {
      wanting = !mine;
      wanting ? ++wanting_ : --wanting_;
    }
    bool found = false;
    if (mine) {
      polled = bell_->count();
      found = poll_();
    }
    const absl::Time now = absl::Now();
    if (found) {
      until = now + options_.patience;
      continue;
    }
    if (now >= deadline) {
      is_done = done();
      break;
    }
    if (now < until) {
      ::sched_yield();
      continue;
    }
    if (mine) End(polled);
    if (wanting) --wanting_;
    mine = wanting = false;
    if (!Sleep(done, deadline)) return done();
    // The bell may have rung for more than this thread waits for.
    mine = Begin();
    if (mine) {
      polled = bell_->count();
      poll_();
    }
    until = absl::Now() + options_.patience;
  }
  if (mine) End(polled);
  if (wanting) --wanting_;
  return is_done;
}

bool Poller::Sleep(absl::FunctionRef<bool()> done, absl::Time deadline) {
  const uint32_t seen = bell_->count();
  {
    base::MutexLock lock(&mutex_);
    if (sleeping_ || closed_) return false;
    sleeping_ = true;
    Listen();
  }
  // What was rung for between the last poll and this is polled for by whom the bell woke then.
  if (!done()) bell_->Wait(seen, Doorbell::kWaiter, deadline);
  base::MutexLock lock(&mutex_);
  sleeping_ = false;
  Listen();
  return true;
}

void Poller::Wake() {
  {
    base::MutexLock lock(&mutex_);
    if (!sleeping_) return;  // the others look by themselves
    bell_->Listen(Doorbell::kWaiter);
  }
  bell_->Ring();
}

}  // namespace twinkle::rpc

#include "runtime/base/fd_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/poll_limit.h"

namespace twinkle::base {

FdLoop::FdLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  Watch(wake_, [this] {
    uint64_t count = 0;
    (void)!::read(wake_, &count, sizeof(count));
  });
}

FdLoop::~FdLoop() {
  ::close(wake_);
  ::close(epoll_);
}

void FdLoop::Watch(int fd, OnReady readable) {
  watched_[fd] = std::make_shared<Watched>(Watched{std::move(readable), nullptr});
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void FdLoop::Update(int fd, bool writable) {
  epoll_event event{};
  event.events = EPOLLIN | (writable ? static_cast<uint32_t>(EPOLLOUT) : 0U);
  event.data.fd = fd;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void FdLoop::WaitWritable(int fd, OnReady writable) {
  const auto found = watched_.find(fd);
  if (found == watched_.end()) return;
  found->second->writable = std::move(writable);
  Update(fd, true);
}

void FdLoop::Forget(int fd) {
  if (watched_.erase(fd) > 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void FdLoop::Wake() {
  const uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof(one));
}

void FdLoop::Post(Task task) {
  {
    MutexLock lock(&mutex_);
    tasks_.push_back(std::move(task));
  }
  Wake();
}

void FdLoop::PostAfter(absl::Duration delay, Task task) {
  {
    MutexLock lock(&mutex_);
    timers_.emplace(Now() + delay, std::move(task));
  }
  Wake();
}

void FdLoop::Stop() {
  stopped_ = true;
  Wake();
}

int FdLoop::RunDue() {
  std::deque<Task> due;
  Instant next = kForever;
  {
    MutexLock lock(&mutex_);
    due.swap(tasks_);
    const Instant now = Now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
      due.push_back(std::move(timers_.begin()->second));
      timers_.erase(timers_.begin());
    }
    if (!timers_.empty()) next = timers_.begin()->first;
  }
  for (Task& task : due) {
    task();
    task = nullptr;
  }
  if (!due.empty()) return 0;  // these may have posted more
  if (next == kForever) return -1;
  return std::min(PollLimit(next), 60'000);
}

void FdLoop::RunReady(int fd, uint32_t events) {
  const auto found = watched_.find(fd);  // an earlier handler may have forgotten it
  if (found == watched_.end()) return;
  const std::shared_ptr<Watched> watched = found->second;
  if ((events & EPOLLOUT) != 0 && watched->writable) {
    Update(fd, false);
    std::exchange(watched->writable, nullptr)();
  }
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) watched->readable();
}

void FdLoop::Run() {
  std::array<epoll_event, 64> ready{};
  while (!stopped_) {
    const int wait = RunDue();
    if (stopped_) break;
    const int count = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), wait);
    for (int i = 0; i < count; ++i)
      RunReady(ready[static_cast<size_t>(i)].data.fd, ready[static_cast<size_t>(i)].events);
  }
  stopped_ = false;  // for the next Run
}

}  // namespace twinkle::base

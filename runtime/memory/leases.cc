#include "runtime/memory/leases.h"

#include <pthread.h>
#include <sys/poll.h>
#include <unistd.h>

#include <system_error>
#include <thread>
#include <utility>

#include "runtime/base/fd.h"

namespace twinkle::memory {
namespace {

using Owner = std::shared_ptr<const void>;

// Leases of peers whose connection is lost, but which may still read the memory. One object for the whole process,
// because it outlives sessions; never destroyed. Thread-safe.
class LeasesOfLostPeers {
 public:
  static LeasesOfLostPeers& Of() {
    static auto& leases = *new LeasesOfLostPeers;
    return leases;
  }
  void Add(const base::ProcessMark& reader, std::vector<Owner> owners) {
    auto ended = std::make_shared<const base::Fd>(reader.Open());
    base::MutexLock lock(&mutex_);
    all_.push_back({reader, std::move(ended), std::move(owners)});
    StartThread();
  }
  void Sweep() {
    std::vector<Entry> released;  // outside the lock
    base::MutexLock lock(&mutex_);
    std::vector<Entry> left;
    for (Entry& entry : all_) (entry.reader.HasEnded() ? released : left).push_back(std::move(entry));
    all_ = std::move(left);
  }

 private:
  struct Entry {
    base::ProcessMark reader;
    // The reader's pidfd; not valid: there was no descriptor, and its end is found later.
    std::shared_ptr<const base::Fd> ended;
    std::vector<Owner> owners;
  };
  static constexpr int kLookMillis = 250;  // between looks for entries that came meanwhile

  // Starts the thread, unless this process is a fork, or none can be had. Then the next Add tries again.
  void StartThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (thread_of_ == ::getpid()) return;
    try {
      std::thread([this] { Run(); }).detach();
      thread_of_ = ::getpid();
    } catch (const std::system_error&) {
    }
  }
  void Run() {
    ::pthread_setname_np(::pthread_self(), "twinkle.leases");
    while (true) {
      AwaitEnd();
      Sweep();
      base::MutexLock lock(&mutex_);
      if (!all_.empty()) continue;
      thread_of_ = 0;
      return;
    }
  }
  // Waits until one of the readers ends, or for a while.
  void AwaitEnd() {
    std::vector<std::shared_ptr<const base::Fd>> kept;
    std::vector<pollfd> polled;
    {
      base::MutexLock lock(&mutex_);
      for (const Entry& entry : all_) {
        kept.push_back(entry.ended);
        polled.push_back({entry.ended->get(), POLLIN, 0});
      }
    }
    ::poll(polled.data(), polled.size(), kLookMillis);
  }

  base::Mutex mutex_;
  std::vector<Entry> all_ ABSL_GUARDED_BY(mutex_);
  pid_t thread_of_ ABSL_GUARDED_BY(mutex_) = 0;  // the process in which the thread runs
};

}  // namespace

uint64_t Leases::Add(base::ProcessId peer, Owner owner) {
  base::MutexLock lock(&mutex_);
  leases_[next_] = {peer, std::move(owner)};
  return next_++;
}

void Leases::Release(base::ProcessId peer, const std::vector<uint64_t>& leases) {
  std::vector<Owner> released;
  base::MutexLock lock(&mutex_);
  for (uint64_t id : leases) {
    const auto found = leases_.find(id);
    if (found == leases_.end() || found->second.peer != peer) continue;
    released.push_back(std::move(found->second.owner));
    leases_.erase(found);
  }
}

void Leases::PeerLost(base::ProcessId peer, const base::ProcessMark& reader) {
  std::vector<Owner> owners;
  {
    base::MutexLock lock(&mutex_);
    for (auto lease = leases_.begin(); lease != leases_.end();) {
      const auto here = lease++;
      if (here->second.peer != peer) continue;
      owners.push_back(std::move(here->second.owner));
      leases_.erase(here);
    }
  }
  if (!owners.empty() && !reader.HasEnded()) LeasesOfLostPeers::Of().Add(reader, std::move(owners));
}

void Leases::Sweep() { LeasesOfLostPeers::Of().Sweep(); }

size_t Leases::size() const {
  base::MutexLock lock(&mutex_);
  return leases_.size();
}

}  // namespace twinkle::memory

#include "runtime/object/leases.h"

#include <absl/strings/str_cat.h>
#include <signal.h>

#include <cerrno>
#include <fstream>
#include <utility>

#include "runtime/base/clock.h"

namespace twinkle::object {
namespace {

using Owner = std::shared_ptr<const void>;

// One that nobody has waited for yet has ended, too: it maps nothing any more.
bool HasEnded(int pid) {
  if (::kill(pid, 0) != 0) return errno == ESRCH;
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  const std::string facts{std::istreambuf_iterator<char>(file), {}};
  const size_t name_end = facts.rfind(')');
  return name_end != std::string::npos && facts.size() > name_end + 2 && facts[name_end + 2] == 'Z';
}

// What processes had that are no longer talked to: they may still read it. Belongs to the whole process, since it
// outlives sessions, and is never destroyed.
class Doubted {
 public:
  static Doubted& Of() {
    static auto& doubted = *new Doubted;
    return doubted;
  }
  void Add(int pid, std::vector<Owner> owners) {
    base::MutexLock lock(&mutex_);
    all_.push_back({pid, std::move(owners)});
  }
  // Lets go of what is no longer read; looks now and then.
  void Sweep() {
    std::vector<Owner> released;
    base::MutexLock lock(&mutex_);
    const base::Instant now = base::Now();
    if (all_.empty() || now < next_) return;
    next_ = now + kInterval;
    for (auto entry = all_.begin(); entry != all_.end();) {
      if (!HasEnded(entry->pid)) {
        ++entry;
        continue;
      }
      for (Owner& owner : entry->owners) released.push_back(std::move(owner));
      entry = all_.erase(entry);
    }
  }

 private:
  static constexpr absl::Duration kInterval = absl::Milliseconds(100);
  struct Entry {
    int pid;
    std::vector<Owner> owners;
  };
  base::Mutex mutex_;
  std::vector<Entry> all_ ABSL_GUARDED_BY(mutex_);
  base::Instant next_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

uint64_t Leases::Add(rpc::ProcessId peer, Owner owner) {
  Doubted::Of().Sweep();
  base::MutexLock lock(&mutex_);
  leases_[next_] = {peer, std::move(owner)};
  return next_++;
}

void Leases::Release(rpc::ProcessId peer, const std::vector<uint64_t>& leases) {
  std::vector<Owner> released;
  base::MutexLock lock(&mutex_);
  for (uint64_t id : leases) {
    const auto found = leases_.find(id);
    if (found == leases_.end() || found->second.peer != peer) continue;
    released.push_back(std::move(found->second.owner));
    leases_.erase(found);
  }
}

void Leases::PeerLost(rpc::ProcessId peer, int pid) {
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
  if (pid != 0 && !owners.empty() && !HasEnded(pid)) Doubted::Of().Add(pid, std::move(owners));
  Doubted::Of().Sweep();
}

size_t Leases::size() const {
  base::MutexLock lock(&mutex_);
  return leases_.size();
}

}  // namespace twinkle::object

// Numbers are those of the invariants in leases.h.
#include "runtime/memory/leases.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "tests/support/catch.h"

namespace twinkle::memory {
namespace {

TEST_CASE("leases go with a process that has ended, and are released by nobody else (LE1, LE2)") {
  Leases leases;
  const auto owner = std::make_shared<int>(1);
  const uint64_t lease = leases.Add(7, owner);
  leases.Release(8, {lease});
  CHECK(leases.size() == 1);
  leases.Release(7, {lease, lease});
  CHECK(leases.size() == 0);
  leases.Add(7, owner);
  leases.PeerLost(7, {});
  CHECK(leases.size() == 0);
  CHECK(owner.use_count() == 1);
  {
    Leases left;
    left.Add(7, owner);
    left.PeerLost(7, base::ProcessMark::Of(::getpid()));  // it may still read
  }
  Leases::Sweep();
  CHECK(owner.use_count() == 2);
}

TEST_CASE("what a lease holds is destroyed outside the lock, and may ask the leases (LE3)") {
  Leases leases;
  size_t asked = 0;
  const auto owner = [&] {
    return std::shared_ptr<const void>(nullptr, [&](const void*) { asked += 1 + leases.size(); });
  };
  leases.Release(7, {leases.Add(7, owner())});
  leases.Add(7, owner());
  leases.PeerLost(7, {});
  CHECK(asked == 2);
}

// A process that ends when it is told to.
class Child {
 public:
  Child() : pid_(::fork()) {
    if (pid_ != 0) return;
    while (true) ::pause();
  }
  ~Child() { ::waitpid(pid_, nullptr, 0); }
  void End() { ::kill(pid_, SIGKILL); }
  int pid() const { return pid_; }

 private:
  const pid_t pid_;
};

TEST_CASE("what a process had that is no longer talked to is let go of by itself when that has ended (LE1)") {
  const auto owner = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = owner;
  Leases leases;
  Child child;
  leases.Add(7, owner);
  leases.Add(8, std::make_shared<int>(2));
  const base::ProcessMark reader = base::ProcessMark::Of(child.pid());
  REQUIRE(reader.pid == child.pid());
  leases.PeerLost(7, reader);
  CHECK(owner.use_count() == 2);
  child.End();  // nobody has waited for it
  while (owner.use_count() > 1) ::usleep(1000);
  CHECK(reader.HasEnded());
  CHECK(reader.Open() == -1);
  CHECK(leases.size() == 1);
}

TEST_CASE("another process with the number of the one that had something is not that one (LE1)") {
  base::ProcessMark reader = base::ProcessMark::Of(::getpid());
  CHECK_FALSE(reader.HasEnded());
  --reader.started;
  CHECK(reader.HasEnded());
  CHECK(reader.Open() == -1);
  const auto owner = std::make_shared<int>(1);
  Leases leases;
  leases.Add(7, owner);
  leases.PeerLost(7, reader);
  CHECK(owner.use_count() == 1);
}

}  // namespace
}  // namespace twinkle::memory

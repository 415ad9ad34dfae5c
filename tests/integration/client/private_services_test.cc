// The program's side of a private cluster, with services that do as the test says: scripts in their place.
#include <absl/strings/str_cat.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "client/src/private_cluster.h"
#include "client/src/service_keeper.h"
#include "runtime/base/clock.h"
#include "runtime/base/end_limits.h"
#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::internal {
namespace {

constexpr absl::Duration kSlack = absl::Seconds(2);  // of a busy machine
constexpr char kStarted[] = "printf S >&3\n";        // as the services say who they are

// Both services are this script, in which $NAME is the service's.
class Services {
 public:
  explicit Services(const std::string& script) {
    for (const char* const name : {"twinkle-driver", "twinkle-worker"}) {
      std::ofstream(folder_ / name) << "#!/bin/sh\nNAME='" << (folder_ / name) << "'\n" << script << '\n';
      ::chmod((folder_ / name).c_str(), 0755);
    }
    ::setenv("TWINKLE_BIN_DIR", folder_.path().c_str(), 1);
  }
  ~Services() { ::unsetenv("TWINKLE_BIN_DIR"); }

  // A number that a service has written to $NAME.pid, once it has.
  pid_t Pid(const std::string& name) const {
    pid_t pid = 0;
    while (!(std::ifstream(folder_ / (name + ".pid")) >> pid)) std::this_thread::yield();
    return pid;
  }

 private:
  const tests::Folder folder_;
};

bool IsThere(pid_t pid) { return ::kill(pid, 0) == 0; }

// Written whole: who reads it finds all of it or nothing.
std::string Noted(const std::string& pid) {
  return absl::StrCat("echo ", pid, " > $NAME.new; mv $NAME.new $NAME.pid\n");
}

// A program to which orphans come back.
struct Subreaper {
  Subreaper() { REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0); }
  ~Subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }
};

TEST_CASE("services that do not end are killed within the limit for both, who has not said who it is, too") {
  const Services services(
      absl::StrCat("case $NAME in *driver) ", kStarted, ";; esac\n", Noted("$$"), "exec sleep 100"));
  auto cluster = PrivateCluster::Start();
  REQUIRE(cluster.ok());
  const pid_t driver = services.Pid("twinkle-driver");
  const pid_t worker = services.Pid("twinkle-worker");
  const base::Instant before = base::Now();
  cluster->reset();
  CHECK(base::Now() - before < base::kServicesLimit + kSlack);
  CHECK_FALSE(IsThere(driver));
  CHECK_FALSE(IsThere(worker));
  CHECK(::waitpid(-1, nullptr, WNOHANG | __WALL) == -1);
}

TEST_CASE("a keeper with more to wait for than its service is no zombie when that has ended, too") {
  const Subreaper subreaper;
  const Services services(absl::StrCat(kStarted, "read role <&3\nsleep 100 3>&- &\n", Noted("$!")));
  auto cluster = PrivateCluster::Start();
  REQUIRE(cluster.ok());
  const pid_t left[] = {services.Pid("twinkle-driver"), services.Pid("twinkle-worker")};
  const base::Instant before = base::Now();
  cluster->reset();
  CHECK(base::Now() - before < base::kServicesLimit + kSlack);
  for (const pid_t pid : left) CHECK(::kill(pid, SIGKILL) == 0);
  // Looked at without being taken away: that is for whoever waits for them.
  const base::Instant latest = base::Now() + absl::Seconds(30);
  siginfo_t ignored{};
  while (::waitid(P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && base::Now() < latest) {
    std::this_thread::yield();
  }
  CHECK(errno == ECHILD);
}

TEST_CASE("silent services are killed where orphans are the program's own, one that has left its starter, too") {
  const Subreaper subreaper;
  const Services services(
      absl::StrCat("case $NAME in *driver) ", Noted("$$"), "exec sleep 100;; esac\nsleep 100 &\n", Noted("$!")));
  auto cluster = PrivateCluster::Start();
  REQUIRE(cluster.ok());
  const pid_t left[] = {services.Pid("twinkle-driver"), services.Pid("twinkle-worker")};
  cluster->reset();
  for (const pid_t pid : left) CHECK_FALSE(IsThere(pid));
}

TEST_CASE("who is no child any more is not waited for") {
  const base::Instant before = base::Now();
  AwaitChild(::getppid(), before + absl::Seconds(30));
  CHECK(base::Now() - before < kSlack);
}

TEST_CASE("a child that does not end in time is waited for aside") {
  const pid_t child = ::fork();
  if (child == 0) {
    while (true) ::pause();
  }
  AwaitChild(child, base::Now() + absl::Milliseconds(10));
  CHECK(IsThere(child));
  ::kill(child, SIGKILL);
  const base::Instant latest = base::Now() + absl::Seconds(30);
  while (IsThere(child) && base::Now() < latest) std::this_thread::yield();
  CHECK_FALSE(IsThere(child));
}

}  // namespace
}  // namespace twinkle::internal

#include "worker/glance.h"

#include <absl/strings/str_cat.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::worker {
namespace {

namespace fs = std::filesystem;

// A folder in which the kernel seems to tell of process 7.
struct Proc {
  void Tell(const std::string& name, char state, const std::string& status) const {
    fs::create_directories(folder / "7");
    std::ofstream(folder / "7/stat") << "7 (" << name << ") " << state << " 1 7 7 0 -1";
    std::ofstream(folder / "7/status") << status;
  }
  std::optional<Glance> TryLook() const { return GlanceAt(7, folder.path()); }
  Glance Look() const { return TryLook().value(); }
  tests::Folder folder;
};

TEST_CASE("a process is stopped when the kernel says so, whatever it is called") {
  const Proc proc;
  const std::string status = "Name:\tx\nState:\tT (stopped)\nTracerPid:\t0\nvoluntary_ctxt_switches:\t41\n";
  proc.Tell("x", 'S', status);
  CHECK_FALSE(proc.Look().stopped);
  proc.Tell("x) T (y", 'R', status);
  CHECK_FALSE(proc.Look().stopped);
  proc.Tell("x) S (y", 'T', status);
  const Glance glance = proc.Look();
  CHECK(glance.stopped);
  CHECK_FALSE(glance.traced);
  CHECK(glance.times_paused == 41);
}

TEST_CASE("who holds it is told, or only that somebody does") {
  const Proc proc;
  proc.Tell("x", 't', "State:\tt (tracing stop)\nTracerPid:\t512\nvoluntary_ctxt_switches:\t1\n");
  CHECK(proc.Look().stopped);
  CHECK(proc.Look().traced);
  CHECK(proc.Look().tracer == 512);
  proc.Tell("x", 't', "State:\tt (tracing stop)\nTracerPid:\t0\nvoluntary_ctxt_switches:\t1\n");
  CHECK(proc.Look().stopped);
  CHECK(proc.Look().traced);
}

TEST_CASE("one that went on while it was looked at is not stopped") {
  const Proc proc;
  proc.Tell("x", 'T', "State:\tS (sleeping)\nTracerPid:\t0\nvoluntary_ctxt_switches:\t1\n");
  CHECK_FALSE(proc.Look().stopped);
}

TEST_CASE("of one that has ended, or of which nothing can be read, it is not known that it goes on") {
  const Proc proc;
  CHECK_FALSE(proc.TryLook());
  proc.Tell("x", 'Z', "State:\tZ (zombie)\n");
  CHECK_FALSE(proc.TryLook());
  proc.Tell("x", 'T', "");
  CHECK_FALSE(proc.TryLook());
  proc.Tell("x", 'T', "State:\tX (dead)\n");
  CHECK_FALSE(proc.TryLook());
  proc.Tell("x", 'T', "State:\tT (stopped)\nTracerPid:\tnobody\n");
  CHECK_FALSE(proc.TryLook());
}

// A child that waits for its end.
struct Waiting {
  Waiting() : pid(::fork()) {
    if (pid == 0) {
      while (true) ::pause();
    }
  }
  ~Waiting() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  const pid_t pid;
};

TEST_CASE("this kernel says it, of a signal and of a debugger, and counts a moment in between") {
  CHECK(TellsOfOwnPids());
  CHECK_FALSE(TellsOfOwnPids("/nowhere"));
  const Waiting child;
  int status = 0;
  ::kill(child.pid, SIGSTOP);
  REQUIRE(::waitpid(child.pid, &status, WUNTRACED) == child.pid);
  Glance first = GlanceAt(child.pid).value();
  CHECK(first.stopped);
  CHECK_FALSE(first.traced);
  // It is told of as stopped a moment before it gives up the processor; after that it does not change.
  for (int looks = 0; looks < 1000; ++looks) first = GlanceAt(child.pid).value();
  CHECK(GlanceAt(child.pid).value().times_paused == first.times_paused);
  ::kill(child.pid, SIGCONT);
  REQUIRE(::waitpid(child.pid, &status, WCONTINUED) == child.pid);
  if (::ptrace(PTRACE_SEIZE, child.pid, nullptr, nullptr) != 0) return;  // it is not allowed everywhere
  REQUIRE(::ptrace(PTRACE_INTERRUPT, child.pid, nullptr, nullptr) == 0);
  REQUIRE(::waitpid(child.pid, &status, __WALL) == child.pid);
  const Glance held = GlanceAt(child.pid).value();
  CHECK(held.stopped);
  CHECK(held.tracer == ::getpid());
  CHECK(held.times_paused != first.times_paused);
}

}  // namespace
}  // namespace twinkle::worker

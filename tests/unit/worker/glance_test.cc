#include "worker/glance.h"

#include <absl/strings/str_cat.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::worker {
namespace {

namespace fs = std::filesystem;

// A folder in which the kernel seems to tell of process 7 and its threads.
struct Proc {
  void Tell(const std::string& name, char state, const std::string& status) const {
    fs::create_directories(folder / "7");
    std::ofstream(folder / "7/stat") << "7 (" << name << ") " << state << " 1 7 7 0 -1";
    std::ofstream(folder / "7/status") << status;
  }
  void TellThread(pid_t thread, int times_paused) const {
    const fs::path task = folder / absl::StrCat("7/task/", thread);
    fs::create_directories(task);
    std::ofstream(task / "status") << "State:\tT (stopped)\nTracerPid:\t0\nvoluntary_ctxt_switches:\t" << times_paused
                                   << "\nnonvoluntary_ctxt_switches:\t9\n";
  }
  std::optional<Glance> TryLook() const { return GlanceAt(7, folder.path()); }
  Glance Look() const { return TryLook().value(); }
  tests::Folder folder;
};

TEST_CASE("a process is stopped when the kernel says so, whatever it is called") {
  const Proc proc;
  const std::string status = "Name:\tx\nState:\tT (stopped)\nTracerPid:\t0\nvoluntary_ctxt_switches:\t41\n";
  proc.TellThread(7, 41);
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

TEST_CASE("all threads of one that is stopped count, whoever comes and goes, and none of one that goes on") {
  const Proc proc;
  const std::string status = "State:\tT (stopped)\nTracerPid:\t0\nvoluntary_ctxt_switches:\t41\n";
  proc.Tell("x", 'T', status);
  CHECK(proc.Look().times_paused == 0);  // none of them can be read
  proc.TellThread(7, 41);
  proc.TellThread(8, 1);
  CHECK(proc.Look().times_paused == 42);
  proc.TellThread(8, 2);
  CHECK(proc.Look().times_paused == 43);
  fs::create_directories(proc.folder / "7/task/9");  // it has just ended
  CHECK(proc.Look().times_paused == 43);
  proc.Tell("x", 'S', status);
  CHECK(proc.Look().times_paused == 0);
}

TEST_CASE("a process that the kernel takes down does not go on, nor does one of which it does not tell") {
  const Proc proc;
  const auto tell = [&](const std::string& stat) { std::ofstream(proc.folder / "7/stat") << stat; };
  fs::create_directories(proc.folder / "7");
  tell("7 (x) S 1 7 7 0 -1 4194560 0");
  CHECK(GoesOn(7, proc.folder.path()));
  tell("7 (x) R 1 7 7 0 -1 4194564 0");  // with PF_EXITING
  CHECK_FALSE(GoesOn(7, proc.folder.path()));
  tell("7 (x) Z 1 7 7 0 -1 4194560 0");
  CHECK_FALSE(GoesOn(7, proc.folder.path()));
  tell("7 (x) S 1 7");
  CHECK_FALSE(GoesOn(7, proc.folder.path()));
  CHECK_FALSE(GoesOn(8, proc.folder.path()));
  CHECK(GoesOn(::getpid()));
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

// A child of two threads that wait for its end.
struct Waiting {
  Waiting() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    pid = ::fork();
    if (pid == 0) {
      std::thread([told = ends[1]] {
        const pid_t self = ::gettid();
        if (::write(told, &self, sizeof self) == sizeof self) WaitForEnd();
      }).detach();
      WaitForEnd();
    }
    ::close(ends[1]);
    const bool begun = ::read(ends[0], &thread, sizeof thread) == sizeof thread;
    ::close(ends[0]);
    REQUIRE(begun);
  }
  ~Waiting() {
    ::kill(pid, SIGKILL);
    ::waitpid(thread, nullptr, __WALL);  // one that was held is its tracer's to wait for
    ::waitpid(pid, nullptr, 0);
  }
  static void WaitForEnd() {
    while (true) ::pause();
  }
  pid_t pid = 0;     // the first thread's
  pid_t thread = 0;  // the other one's
};

bool Hold(pid_t thread) {
  return ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) == 0 && ::waitpid(thread, nullptr, __WALL) == thread &&
         ::ptrace(PTRACE_SETOPTIONS, thread, nullptr, nullptr) == 0;  // waits until it has given up the processor
}

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
  REQUIRE(Hold(child.pid));
  const Glance held = GlanceAt(child.pid).value();
  CHECK(held.stopped);
  CHECK(held.tracer == ::getpid());
  CHECK(held.times_paused != first.times_paused);
}

TEST_CASE("this kernel counts what another thread of a process does whose first one is held") {
  const Waiting child;
  if (::ptrace(PTRACE_SEIZE, child.pid, nullptr, nullptr) != 0) return;  // it is not allowed everywhere
  REQUIRE(::ptrace(PTRACE_SEIZE, child.thread, nullptr, nullptr) == 0);
  REQUIRE((Hold(child.pid) && Hold(child.thread)));
  const Glance before = GlanceAt(child.pid).value();
  CHECK(before.stopped);
  CHECK(GlanceAt(child.pid).value().times_paused == before.times_paused);
  REQUIRE(::ptrace(PTRACE_CONT, child.thread, nullptr, nullptr) == 0);
  REQUIRE(Hold(child.thread));
  const Glance after = GlanceAt(child.pid).value();
  CHECK(after.stopped);
  CHECK(after.times_paused > before.times_paused);
}

}  // namespace
}  // namespace twinkle::worker

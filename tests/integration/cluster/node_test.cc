// Node daemons where the machine is not as they would like it.
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/cluster/processes.h"
#include "tests/integration/cluster/programs.h"
#include "tests/integration/session.h"

namespace twinkle::tests {
namespace {

using Catch::Matchers::ContainsSubstring;

int64_t LinesWith(const std::string& text, const std::string& part) {
  std::istringstream lines(text);
  int64_t count = 0;
  for (std::string line; std::getline(lines, line);) count += absl::StrContains(line, part) ? 1 : 0;
  return count;
}

TEST_CASE("of what four ranks print as fast as they can every line arrives") {
  constexpr int kLines = 50'000;
  TestCluster cluster({{"a", {"--cpus", "4"}}});
  Child chatter(Program({"chatter", absl::StrCat(kLines)}), cluster.environment());
  CHECK(chatter.Wait() == 0);
  const std::string output = chatter.Output();
  for (int rank = 0; rank < 4; ++rank) {
    CHECK(LinesWith(output, absl::StrCat(" of rank ", rank)) == kLines);
  }
  CHECK_FALSE(absl::StrContains(output, "are missing here"));
}

TEST_CASE("a progress bar is seen while it stands still") {
  TestCluster cluster({{"a", {"--cpus", "1"}}});
  const Folder folder;
  Child program(Program({"progress", folder / "go"}), cluster.environment());
  CHECK(program.AwaitOutput("]  10%\n"));
  CHECK(program.AwaitOutput("]  50%\n"));
  CHECK_FALSE(absl::StrContains(program.Output(), "100%"));
  std::ofstream(folder / "go").put('x');
  CHECK(program.Wait() == 0);
  CHECK_THAT(program.Output(), ContainsSubstring("] 100%\n"));
}

TEST_CASE("a log folder that nobody takes from harms no job") {
  const Folder folder;
  const std::string logs = folder / "logs";
  std::filesystem::create_directories(logs + "/job-1");
  for (int rank = 0; rank < 4; ++rank) {
    REQUIRE(::mkfifo(absl::StrCat(logs, "/job-1/pool-", rank, ".log").c_str(), 0600) == 0);
  }
  TestCluster cluster({{"a", {"--cpus", "4", "--log-dir", logs}}});
  Child chatter(Program({"chatter", "1000"}), cluster.environment());
  CHECK(chatter.Wait() == 0);
  CHECK(LinesWith(chatter.Output(), "chat ") == 4000);
}

TEST_CASE("a node daemon whose driver is not there says so at once, and joins when it is") {
  TestCluster cluster({});
  Child early({ServicePath("twinkle-worker"), "--driver", "127.0.0.1:1", "--token-file", cluster.token_file()});
  CHECK(early.AwaitOutput("there is no connection to the driver at 127.0.0.1:1"));
  early.Signal(SIGTERM);
  CHECK(early.Wait() == 0);
  Child wrong({ServicePath("twinkle-worker"), "--driver", "somewhere", "--token-file", cluster.token_file()});
  CHECK(wrong.Wait() == 2);
  CHECK_THAT(wrong.Output(), ContainsSubstring("a driver is HOST:PORT"));
}

TEST_CASE("a node daemon tells what comes and goes") {
  TestCluster cluster({{"a", {"--cpus", "4"}}});
  Child sleeper(Program({"sleeper"}), cluster.environment());
  REQUIRE(sleeper.AwaitOutput("SLEEPING"));
  CHECK(cluster.node(0).AwaitOutput("begins with 4 processes here"));
  sleeper.Signal(SIGKILL);
  CHECK(cluster.node(0).AwaitOutput(") ends: "));  // by its own eyes, or as the driver says: whichever comes first
  CHECK(cluster.node(0).AwaitOutput("job 1 has ended here"));
}

pid_t SpawnerOf(pid_t daemon) {
  pid_t spawner = 0;
  std::ifstream(absl::StrCat("/proc/", daemon, "/task/", daemon, "/children")) >> spawner;
  return spawner;
}

TEST_CASE("what a rank has printed until it was killed with its node daemon or its spawner is in its log file") {
  for (const int number : {SIGSTOP, SIGKILL}) {
    const Folder folder;
    TestCluster cluster({{"a", {"--cpus", "1", "--log-dir", folder / "logs"}}});
    const Child counter(Program({"counter", folder / "last"}), cluster.environment());
    int64_t last = 0;
    const auto read = [&] {
      std::ifstream(folder / "last").read(reinterpret_cast<char*>(&last), sizeof(last));
      return last > 0;
    };
    REQUIRE(Eventually(read));
    ::kill(SpawnerOf(cluster.node(0).pid()), number);  // one that is stopped hears of no end, and kills nobody
    if (number == SIGSTOP) cluster.node(0).Signal(SIGTERM);
    cluster.node(0).Wait();
    CHECK(read());
    CHECK(LinesWith(folder.Read("logs/job-1/pool-0.log"), "") > last);
  }
}

// Two ranks on one node, and the folder there of the job's files.
struct JobWithFile {
  Folder folder;
  TestCluster cluster{{{"a", {"--cpus", "4"}}}};
  twinkle::Session session = Begun();
  Remote<Probe> probe = Must(New<Probe>({.remote_group = "pool"}));
  std::string there = Result(probe.Variables({"TWINKLE_FILES"})).at(0).at("TWINKLE_FILES");

 private:
  twinkle::Session Begun() {
    std::ofstream(folder / "prompts.txt") << "the first prompt\n";
    ::setenv("TWINKLE_TOKEN_FILE", cluster.token_file().c_str(), 1);
    return Begin({.mode = Mode::kCluster,
                  .driver = cluster.driver(),
                  .groups = {Cpu("pool", 2)},
                  .files = {folder / "prompts.txt"}});
  }
};

TEST_CASE("a node daemon whose spawner is stopped ends all the same, and leaves no folder of its jobs") {
  JobWithFile job;
  const auto pids = Result(job.probe.Pid());
  REQUIRE(std::filesystem::exists(job.there));
  const pid_t spawner = SpawnerOf(job.cluster.node(0).pid());
  REQUIRE(spawner > 0);
  ::kill(spawner, SIGSTOP);
  job.cluster.node(0).Signal(SIGTERM);
  CHECK(job.cluster.node(0).Wait() == 0);
  CHECK_FALSE(std::filesystem::exists(job.there));
  for (const int64_t pid : pids) CHECK(::kill(static_cast<pid_t>(pid), 0) != 0);
  static_cast<void>(job.session.Finish());
}

TEST_CASE("a node daemon whose spawner is killed ends, and leaves no folder of a job that goes on") {
  JobWithFile job;
  REQUIRE(std::filesystem::exists(job.there));
  const pid_t spawner = SpawnerOf(job.cluster.node(0).pid());
  REQUIRE(spawner > 0);
  ::kill(spawner, SIGKILL);
  CHECK(job.cluster.node(0).Wait() == 1);
  CHECK_FALSE(std::filesystem::exists(job.there));
}

TEST_CASE("a node in another PID namespace of the same machine takes the program by its path") {
  if (::geteuid() != 0 || !std::filesystem::exists("/usr/bin/unshare")) {
    WARN("skipped: a PID namespace can be made by root only, with unshare");
    return;
  }
  TestCluster cluster({});
  const Child node({"/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "--kill-child",
                    ServicePath("twinkle-worker"), "--node-name", "inside", "--cpus", "1", "--devices", "cuda:1"},
                   cluster.environment());
  REQUIRE(node.AwaitOutput("has joined"));
  Child once(Program({"once", "cuda", "1"}), cluster.environment());
  INFO(node.Output());
  CHECK(once.Wait() == 0);
  CHECK_THAT(once.Output(), ContainsSubstring("on inside, local rank 0"));
}

TEST_CASE("without /proc or /dev, or with few open files or a small stack, who starts says what is missing") {
  const Folder folder;
  std::ofstream(folder / "token") << "0123\n";
  REQUIRE(::chmod((folder / "token").c_str(), 0600) == 0);
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::vector<std::string> starts = {
      absl::StrCat(ServicePath("twinkle-worker"), " --driver 127.0.0.1:1 --token-file ", folder / "token"),
      absl::StrCat(ServicePath("twinkle-driver"), " --listen 127.0.0.1:0 --token-file ", folder / "token"),
      absl::StrCat(self, " --program once cpu 1")};
  for (const std::string& start : starts) {
    INFO(start);
    Child few({"/bin/sh", "-c", absl::StrCat("ulimit -n 40; exec ", start)});
    CHECK(few.Wait() == 1);
    CHECK_THAT(few.Output(), ContainsSubstring("this process may have 40 open files: allow it more (ulimit -n"));
    Child small({"/bin/sh", "-c", absl::StrCat("ulimit -s 64; exec ", start)});
    CHECK(small.Wait() == 1);
    CHECK_THAT(small.Output(), ContainsSubstring("a stack of 128 KiB is needed, and this process may have 64"));
    if (::geteuid() != 0 || !std::filesystem::exists("/usr/bin/unshare")) continue;
    Child bare({"/usr/bin/unshare", "--mount", "/bin/sh", "-c", absl::StrCat("umount -l /proc; exec ", start)});
    CHECK(bare.Wait() == 1);
    CHECK_THAT(bare.Output(), ContainsSubstring("/proc is not mounted here"));
    Child no_devices(
        {"/usr/bin/unshare", "--mount", "/bin/sh", "-c", absl::StrCat("mount -t tmpfs none /dev && exec ", start)});
    CHECK(no_devices.Wait() != 0);
    CHECK_THAT(no_devices.Output(), ContainsSubstring("/dev/null cannot be opened here"));
  }
}

TEST_CASE("a rank for which its node has no open files left is told so") {
  TestCluster cluster({});
  const Child node({"/bin/sh", "-c",
                    absl::StrCat("ulimit -n 64; exec ", ServicePath("twinkle-worker"), " --node-name a --cpus 100")},
                   cluster.environment());
  REQUIRE(node.AwaitOutput("has joined"));
  Child many(Program({"once", "cpu", "60"}), cluster.environment());
  CHECK(many.Wait() == 1);
  CHECK_THAT(many.Output(), ContainsSubstring("did not start: ") && ContainsSubstring("may have 64 open files"));
}

TEST_CASE("a program that may be executed and not read runs") {
  if (::geteuid() != 0 || !std::filesystem::exists("/usr/bin/setpriv")) {
    WARN("skipped: everything can be read by whom this runs as, and there is no setpriv");
    return;
  }
  const Folder folder;
  const std::string copy = folder / "program";
  std::filesystem::copy_file("/proc/self/exe", copy);
  REQUIRE(::chmod(copy.c_str(), 0711) == 0);
  REQUIRE(::chmod((folder / "").c_str(), 0755) == 0);
  TestCluster cluster({});
  Environment environment = cluster.environment();
  environment["TWINKLE_TOKEN_FILE"] = folder / "token";
  std::filesystem::copy_file(cluster.token_file(), folder / "token");
  REQUIRE(::chown((folder / "token").c_str(), 65534, 65534) == 0);
  const std::vector<std::string> nobody = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
  std::vector<std::string> daemon = nobody;
  daemon.insert(daemon.end(), {ServicePath("twinkle-worker"), "--node-name", "a", "--devices", "cuda:1"});
  const Child node(daemon, environment);
  REQUIRE(node.AwaitOutput("has joined"));
  std::vector<std::string> program = nobody;
  program.insert(program.end(), {copy, "--program", "once", "cuda", "1"});
  Child once(program, environment);
  CHECK(once.Wait() == 0);
  INFO(once.Output());
  CHECK_THAT(once.Output(), ContainsSubstring("DONE"));
}

TEST_CASE("a node that listens at an address with colons serves jobs") {
  if (std::ifstream addresses("/proc/net/if_inet6"); addresses.peek() == EOF) {
    WARN("skipped: this machine has no IPv6");
    return;
  }
  TestCluster cluster({{"a", {"--host", "::1", "--devices", "cuda:1"}}});
  Child once(Program({"once", "cuda", "1"}), cluster.environment());
  CHECK(once.Wait() == 0);
  CHECK_THAT(once.Output(), ContainsSubstring("DONE"));
}

}  // namespace
}  // namespace twinkle::tests

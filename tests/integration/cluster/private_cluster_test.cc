// A program on a private cluster: nothing else was started.
#include <absl/strings/match.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "tests/integration/cluster/processes.h"
#include "tests/integration/cluster/programs.h"
#include "tests/integration/session.h"

namespace twinkle::tests {
namespace {

using Catch::Matchers::ContainsSubstring;

Session OnPrivateCluster(std::vector<DeviceGroup> groups, absl::Duration abort_grace = absl::Seconds(30)) {
  return Begin({.mode = Mode::kCluster, .groups = std::move(groups), .abort_grace = abort_grace});
}

TEST_CASE("each rank is a process of its own, as the program was started, and knows its place") {
  auto session = OnPrivateCluster({Cpu("pool", 3), Cpu("other", 1)});
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  const std::vector<int64_t> pids = Result(probe.Pid());
  CHECK(std::set<int64_t>(pids.begin(), pids.end()).size() == 3);
  CHECK(Result(probe.Where()) == std::vector<std::string>{"pool.0/3", "pool.1/3", "pool.2/3"});
  char here[4096] = {};
  REQUIRE(::getcwd(here, sizeof(here)) != nullptr);
  CHECK(Result(probe.Directory()) == std::vector<std::string>(3, here));
  const auto variables = Result(probe.Variables({"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT",
                                                 "TWINKLE_GROUP", "TWINKLE_SEED", "TWINKLE_ROLE_FD", "PATH"}));
  REQUIRE(variables.size() == 3);
  for (int rank = 0; rank < 3; ++rank) {
    auto values = variables[static_cast<size_t>(rank)];
    CHECK(values["RANK"] == std::to_string(rank));
    CHECK(values["LOCAL_RANK"] == std::to_string(rank));
    CHECK(values["WORLD_SIZE"] == "3");
    CHECK(values["MASTER_ADDR"] == "127.0.0.1");
    CHECK(values["MASTER_PORT"] == variables[0].at("MASTER_PORT"));
    CHECK(values["TWINKLE_GROUP"] == "pool");
    CHECK(values["TWINKLE_SEED"] == "42");
    CHECK(values["TWINKLE_ROLE_FD"] == "(unset)");
    CHECK(values["PATH"] == std::getenv("PATH"));
  }
  CHECK_THAT(DevicePlacement(), ContainsSubstring("pid " + std::to_string(pids[2])));
  CHECK(Told(session.Finish()) == "OK");
  for (int64_t pid : pids) CHECK_FALSE(IsAlive(static_cast<pid_t>(pid)));
}

TEST_CASE("results go from group to group, small ones and large ones") {
  auto session = OnPrivateCluster({Cpu("pool", 2), Cpu("other", 3)});
  auto producer = Must(New<Probe>({.remote_group = "pool"}));
  auto consumer = Must(New<Probe>({.remote_group = "other"}));
  CHECK(Result(consumer.Sum(producer.Numbers(3))) == 2 * (0 + 1 + 2) + 3 * 1000);
  const int64_t many = 300'000;  // 2.4 MB of each rank
  CHECK(Result(consumer.Sum(producer.Numbers(many))) == 2 * (many * (many - 1) / 2) + many * 1000);
  const auto ones = producer.Ones(2'000'000);
  CHECK(Result(consumer.Total(ones)) == std::vector<double>(3, 4e6));
  CHECK(ones.Get()->rows() == 4'000'000);
  CHECK(Result(consumer.Total(Put(*ones.Get()))) == std::vector<double>(3, 4e6));
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("what the program lists as files is found by every rank, and gone with the job") {
  const Folder folder;
  {
    std::ofstream file(folder / "prompts.txt");
    file << "the first prompt\n";
  }
  CHECK(absl::IsInvalidArgument(
      Initialize(0, nullptr, {.mode = Mode::kCluster, .groups = {Cpu("pool", 1)}, .files = {folder / "nothing.txt"}})
          .status()));
  auto session = Begin({.mode = Mode::kCluster, .groups = {Cpu("pool", 2)}, .files = {folder / "prompts.txt"}});
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  CHECK(Result(probe.File("prompts.txt")) == std::vector<std::string>(2, "the first prompt"));
  const std::string there = Result(probe.Variables({"TWINKLE_FILES"})).at(0).at("TWINKLE_FILES");
  CHECK(Told(session.Finish()) == "OK");
  CHECK(::access(there.c_str(), F_OK) != 0);
}

TEST_CASE("ranks call each other and make components") {
  auto session = OnPrivateCluster({Cpu("pool", 2), Cpu("other", 1)});
  auto probe = Must(New<Probe>({.remote_group = "pool", .name = "probe"}));
  auto relay = Must(New<Relay>({.remote_group = "other"}));
  CHECK(Result(relay.Ask(probe, "asked")) == "asked from pool.0/2");
  CHECK(Result(relay.Make("pool")) == 2);
  auto found = Must(Find<Probe>("probe"));
  CHECK(Result(found.Rank(1).Text("found")) == "found from pool.1/2");
  CHECK(absl::IsNotFound(Find<Probe>("nobody").status()));
  CHECK(absl::IsAlreadyExists(New<Probe>({.remote_group = "pool", .name = "probe"}).status()));
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("a program may have one session after the other") {
  for (int round = 0; round < 3; ++round) {
    auto session = OnPrivateCluster({Cpu("pool", 1)});
    auto probe = Must(New<Probe>({.remote_group = "pool"}));
    CHECK(Result(probe.Where()).size() == 1);
    CHECK(Told(session.Finish()) == "OK");
  }
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);  // none of its children is left
}

TEST_CASE("a program that orphans come back to may wait for all children that it has: no service is among them") {
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  auto session = OnPrivateCluster({Cpu("pool", 1)});
  CHECK(::waitpid(-1, nullptr, 0) == -1);
  CHECK(errno == ECHILD);
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  CHECK(Result(probe.Where()).size() == 1);
  CHECK(Told(session.Finish()) == "OK");
  CHECK(::waitpid(-1, nullptr, WNOHANG | __WALL) == -1);  // nor is anything left that it does not see
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_CASE("Initialize says what a service of the private cluster does not take from the environment") {
  const std::vector<std::array<std::string, 3>> wrong = {{"TWINKLE_START_LIMIT", "nan", "'nan'"},
                                                         {"TWINKLE_OBJECT_MEMORY", "3X", "3X"},
                                                         {"TWINKLE_DEVICES", "foo", "foo"},
                                                         {"TWINKLE_CGROUP", "/nowhere", "/nowhere"},
                                                         {"TWINKLE_CGROUP", "/tmp", "/tmp"}};
  for (const auto& [variable, value, said] : wrong) {
    ::setenv(variable.c_str(), value.c_str(), 1);
    const absl::Status status = Initialize(0, nullptr, {.mode = Mode::kCluster, .groups = {Cpu("pool", 1)}}).status();
    ::unsetenv(variable.c_str());
    INFO(status);
    CHECK_FALSE(status.ok());
    CHECK_THAT(std::string(status.message()), ContainsSubstring("the private cluster's twinkle-worker has ended: "));
    CHECK_THAT(std::string(status.message()), ContainsSubstring(said));
  }
}

TEST_CASE("a program that sees no devices has none on its private cluster, whatever else it was told") {
  Child once({"/proc/self/exe", "--program", "once", "cuda", "1"},
             {{"TWINKLE_DEVICES", "cuda:8"}, {"CUDA_VISIBLE_DEVICES", "-1"}});
  CHECK(once.Wait() == 1);
  CHECK_THAT(once.Output(), ContainsSubstring("1 cuda device"));
  CHECK_THAT(once.Output(), ContainsSubstring("can never fit this job"));
  Child cpu({"/proc/self/exe", "--program", "once", "cpu", "1"},
            {{"TWINKLE_DEVICES", "cuda:8"}, {"CUDA_VISIBLE_DEVICES", "-1"}});
  CHECK(cpu.Wait() == 0);
}

// ---- failures ----------------------------------------------------------------------------------
TEST_CASE("the death of a rank is told at once: who, by what signal, its last words; the rest of its group ends") {
  auto session = OnPrivateCluster({Cpu("pool", 3), Cpu("other", 1)});
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  auto other = Must(New<Probe>({.remote_group = "other"}));
  const std::vector<int64_t> pids = Result(probe.Pid());
  const auto call = probe.KillSelf(2, SIGKILL);
  const int line = __LINE__ - 1;
  const absl::Status status = call.Wait(absl::Seconds(20));
  INFO(status);
  CHECK(absl::IsAborted(status));
  const std::string text(status.message());
  CHECK_THAT(text, ContainsSubstring("Probe.KillSelf failed on rank 2 of group 'pool' ("));
  CHECK_THAT(text, ContainsSubstring("pid " + std::to_string(pids[2]) +
                                     ") [private_cluster_test.cc:" + std::to_string(line) + "]"));
  CHECK_THAT(text, ContainsSubstring("killed by signal 9 (SIGKILL)"));
  CHECK_THAT(text, ContainsSubstring("the last words of rank 2"));
  for (int64_t pid : pids) CHECK(Eventually([&] { return !IsAlive(static_cast<pid_t>(pid)); }));
  const absl::Status later = probe.Rank(0).Where().Get().status();
  CHECK(absl::IsAborted(later));
  CHECK_THAT(std::string(later.message()), ContainsSubstring("group 'pool' was aborted: rank 2"));
  CHECK(Result(other.Where()) == std::vector<std::string>{"other.0/1"});
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("a rank that exits is told with its code") {
  auto session = OnPrivateCluster({Cpu("pool", 2)});
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  const absl::Status status = probe.ExitSelf(0, 7).Wait(absl::Seconds(20));
  CHECK(absl::IsAborted(status));
  CHECK_THAT(std::string(status.message()), ContainsSubstring("it exited with code 7"));
  session.Finish().IgnoreError();
}

TEST_CASE("a rank that fails while others wait: the cause at once; who does not leave within the grace is killed") {
  for (const bool deaf : {false, true}) {
    auto session = OnPrivateCluster({Cpu("pool", 3)}, absl::Milliseconds(300));
    auto probe = Must(New<Probe>({.remote_group = "pool"}));
    const std::vector<int64_t> pids = Result(probe.Pid());
    const Folder folder;
    const auto call = probe.FailOn(1, deaf, folder / "in");
    const absl::Status status = call.Wait(absl::Seconds(20));
    CHECK(absl::IsResourceExhausted(status));
    CHECK_THAT(std::string(status.message()), ContainsSubstring("no room on this rank"));
    if (deaf) {
      for (int64_t pid : pids) CHECK(Eventually([&] { return !IsAlive(static_cast<pid_t>(pid)); }));
      const absl::Status later = probe.Where().Get().status();
      CHECK(absl::IsAborted(later));
      CHECK_THAT(std::string(later.message()), ContainsSubstring("it did not leave the method within 300ms"));
    } else {
      CHECK(Result(probe.Pid()) == pids);
    }
    session.Finish().IgnoreError();
  }
}

TEST_CASE("Kill ends the group's processes, and no others") {
  auto session = OnPrivateCluster({Cpu("pool", 2), Cpu("other", 1)});
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  auto other = Must(New<Probe>({.remote_group = "other"}));
  const std::vector<int64_t> pids = Result(probe.Pid());
  const auto call = probe.Sleep(100);
  probe.component().Kill();
  const absl::Status status = call.Get().status();
  CHECK(absl::IsAborted(status));
  CHECK_THAT(std::string(status.message()), ContainsSubstring("Probe.component().Kill() [private_cluster_test.cc:"));
  for (int64_t pid : pids) CHECK(Eventually([&] { return !IsAlive(static_cast<pid_t>(pid)); }));
  CHECK(Result(other.Where()).size() == 1);
  session.Finish().IgnoreError();
}

TEST_CASE("what a dead process owned is lost, and its readers are told") {
  auto session = OnPrivateCluster({Cpu("pool", 1), Cpu("other", 1)});
  auto producer = Must(New<Probe>({.remote_group = "pool"}));
  auto consumer = Must(New<Probe>({.remote_group = "other"}));
  const auto numbers = producer.Numbers(100'000);
  Must(numbers.Wait(absl::Seconds(20)));
  CHECK(absl::IsAborted(producer.ExitSelf(0, 1).Wait(absl::Seconds(20))));
  const absl::Status lost = consumer.Sum(numbers).Get().status();
  CHECK(absl::IsDataLoss(lost));
  CHECK_THAT(std::string(lost.message()), ContainsSubstring("exited with code 1"));
  CHECK(absl::IsDataLoss(numbers.Get().status()));
  session.Finish().IgnoreError();
}

TEST_CASE("a process that a rank started ends with the rank's group") {
  auto session = OnPrivateCluster({Cpu("pool", 1)});
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  const auto grandchild = static_cast<pid_t>(Result(probe.StartGrandchild()).at(0));
  CHECK(IsAlive(grandchild));
  probe.component().Kill();
  CHECK(Eventually([&] { return !IsAlive(grandchild); }));
  session.Finish().IgnoreError();
}

// ---- programs that end in other ways -------------------------------------------------------------
struct Sleeper {
  explicit Sleeper(Environment changes = {}) {
    changes["TWINKLE_TEST_MARK"] = mark;
    child = std::make_unique<Child>(std::vector<std::string>{"/proc/self/exe", "--program", "sleeper"}, changes);
    REQUIRE(child->AwaitOutput("SLEEPING"));
    REQUIRE(Eventually([&] { return Marked().size() >= 6; }));  // the program, four ranks, a grandchild
  }
  std::vector<pid_t> Marked() const { return ProcessesWith("TWINKLE_TEST_MARK=" + mark); }
  bool Gone(absl::Duration limit) const {
    return Eventually([&] { return Marked().empty(); }, limit);
  }
  // The one whose command, cut to 15 characters, that name begins with; 0: there is none.
  pid_t Named(const std::string& name) const {
    for (pid_t pid : Marked()) {
      std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
      std::string comm;
      std::getline(file, comm);
      if (absl::StartsWith(name, comm)) return pid;
    }
    return 0;
  }
  const std::string mark = std::to_string(::getpid()) + "-" + std::to_string(base::Now().nanoseconds());
  std::unique_ptr<Child> child;
};

// Whether a process is gone, or has nothing left but its exit status.
bool HasEnded(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  if (!std::getline(file, stat)) return true;
  return absl::StartsWith(absl::string_view(stat).substr(stat.rfind(')')), ") Z");
}

TEST_CASE("nothing is left of a program that is killed, nor of its cluster") {
  const Sleeper sleeper;
  sleeper.child->Signal(SIGKILL);
  CHECK(sleeper.Gone(absl::Seconds(1)));
}

TEST_CASE("nothing is left of a program that is interrupted") {
  const Sleeper sleeper;
  sleeper.child->Signal(SIGINT);
  CHECK(sleeper.Gone(absl::Seconds(1)));
}

TEST_CASE("whichever process of a private cluster is killed: the program is told, and nothing is left") {
  for (const std::string name : {"twinkle-driver", "twinkle-worker", "twinkle-spawner"}) {
    CAPTURE(name);
    const Folder runtime;
    std::filesystem::create_directory(runtime / "run");
    const Sleeper sleeper({{"XDG_RUNTIME_DIR", runtime / "run"}});
    CHECK(::access((runtime / "run/twinkle").c_str(), F_OK) == 0);  // where commands find it
    const pid_t victim = sleeper.Named(name);
    REQUIRE(victim != 0);
    ::kill(victim, SIGKILL);
    CHECK(sleeper.child->AwaitOutput("FAILED"));
    CHECK(sleeper.child->Wait() == 1);
    CHECK(sleeper.Gone(absl::Seconds(1)));
    INFO(sleeper.child->Output());
    CHECK(absl::StrContains(sleeper.child->Output(), "gone"));
    CHECK(::access((runtime / "run/twinkle").c_str(), F_OK) != 0);
  }
}

TEST_CASE("a private driver that was killed leaves no record, whoever of its program and its node daemon ends later") {
  const Folder runtime;
  std::filesystem::create_directory(runtime / "run");
  const Sleeper sleeper({{"XDG_RUNTIME_DIR", runtime / "run"}});
  const pid_t driver = sleeper.Named("twinkle-driver");
  const pid_t daemon = sleeper.Named("twinkle-worker");
  REQUIRE(driver != 0);
  REQUIRE(daemon != 0);
  // Both hear of the driver's end when it has let go of its record, and the program, which would remove that, never.
  sleeper.child->Signal(SIGSTOP);
  ::kill(daemon, SIGSTOP);
  ::kill(driver, SIGKILL);
  CHECK(Eventually([&] { return HasEnded(driver); }));
  sleeper.child->Signal(SIGKILL);
  ::kill(daemon, SIGCONT);
  CHECK(sleeper.Gone(absl::Seconds(2)));
  CHECK(::access((runtime / "run/twinkle").c_str(), F_OK) != 0);
}

TEST_CASE("a spawner that is stopped is ended with its private cluster, and with it the ranks") {
  const Sleeper sleeper;
  const pid_t spawner = sleeper.Named("twinkle-spawner");
  REQUIRE(spawner != 0);
  ::kill(spawner, SIGSTOP);
  sleeper.child->Signal(SIGKILL);
  CHECK(sleeper.Gone(absl::Seconds(3)));
}

TEST_CASE("a private cluster is for its machine alone, whatever address the environment has for nodes") {
  ::setenv("TWINKLE_HOST", "256.0.0.1", 1);  // could not be listened on
  auto session = OnPrivateCluster({Cpu("pool", 2)});
  ::unsetenv("TWINKLE_HOST");
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  CHECK(Result(probe.Pid()).size() == 2);
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("a worker process that never reaches Initialize is told of, with what it printed") {
  Child late({"/proc/self/exe", "--program", "late"}, {{"TWINKLE_START_LIMIT", "0.3"}});
  CHECK(late.Wait() == 1);
  INFO(late.Output());
  CHECK(absl::StrContains(late.Output(), "rank 0 of group 'pool'"));
  CHECK(absl::StrContains(late.Output(), "did not reach twinkle::Initialize within 300ms"));
  CHECK(absl::StrContains(late.Output(), "busy"));
}

TEST_CASE("what the loader says of a worker process that cannot start is the error") {
  Child broken({"/proc/self/exe", "--program", "broken"});
  CHECK(broken.Wait() == 1);
  INFO(broken.Output());
  CHECK(absl::StrContains(broken.Output(), "did not start: exited with code 127"));
  CHECK(absl::StrContains(broken.Output(), "libnowhere.so"));
}

TEST_CASE("a driver that is named but not there is not replaced by a private one") {
  const Folder folder;
  Child named({"/proc/self/exe", "--program", "begin"},
              {{"TWINKLE_DRIVER", "127.0.0.1:1"}, {"TWINKLE_TOKEN_FILE", folder / "none"}});
  CHECK(named.Wait() == 1);
  INFO(named.Output());
  CHECK(absl::StrContains(named.Output(), "token file"));
}

}  // namespace
}  // namespace twinkle::tests

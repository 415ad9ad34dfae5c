// The daemon between a driver, a spawner and processes that do as the test says: that it carries out what its state
// machine decides, with real descriptors.
#include "worker/node_daemon.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"

namespace twinkle::worker {
namespace {

using Catch::Matchers::ContainsSubstring;
using Texts = std::vector<std::string>;

constexpr uint64_t kJob = 7;
constexpr uint64_t kRank = 71;
constexpr int kNobody = 5'000'000;  // no kernel gives a process that number

// A process that does nothing, in a group of its own.
class Idle {
 public:
  Idle() : pid(::fork()) {
    if (pid == 0) {
      while (true) ::pause();
    }
    ::setpgid(pid, pid);
  }
  ~Idle() { End(); }
  // The signal that has ended it.
  int End(int number = SIGKILL) {
    if (ended_) return 0;
    ended_ = true;
    ::kill(pid, number);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  const pid_t pid;

 private:
  bool ended_ = false;
};

v1::DriverToNode StartOf(int program) {
  v1::DriverToNode message;
  v1::StartJob& start = *message.mutable_start();
  start.set_job(kJob);
  start.set_secret("secret");
  start.mutable_program()->set_name("train");
  start.mutable_program()->add_arguments("train");
  start.mutable_program()->add_environment("COLOUR=blue");
  start.mutable_program()->set_directory("/somewhere");
  start.mutable_program()->mutable_place()->set_machine("machine");
  start.mutable_program()->mutable_place()->set_pids("pids");
  start.mutable_program()->mutable_place()->set_pid(program);
  v1::Process& process = *start.add_processes();
  process.set_id(kRank);
  process.set_group("policy");
  return message;
}
// What is wished to be heard of the job.
v1::WatchJob ToTheEnd() {
  v1::WatchJob wish;
  wish.set_job(kJob);
  wish.set_follow(true);
  return wish;
}

v1::DriverToNode StopNow() {
  v1::DriverToNode message;
  message.mutable_stop()->set_job(kJob);
  return message;
}

struct DaemonNode {
  DaemonNode() {
    auto pair = rpc::SocketPair();
    REQUIRE(pair.ok());
    spawner = std::move(pair->second);
    ::fcntl(spawner.get(), F_SETFL, O_NONBLOCK);
    from_daemon = std::make_unique<rpc::MessageReader>(spawner.get(), rpc::ReaderLimits{.descriptors = true});
    loop.Watch(spawner.get(), [this] { OnSpawner(); });
    DaemonOptions options;
    options.node.set_name("n");
    options.look_interval = absl::Milliseconds(1);
    options.state = {.node = "n", .pids = "pids", .driver = "driver:1"};
    daemon = std::make_unique<NodeDaemon>(
        std::move(options), Spawner{0, std::move(pair->first)}, &loop, &output, &store, &threads,
        NodeDaemon::Events{[this](const v1::NodeToDriver& message) { Tell(message); }, [](const std::string&) {},
                           [this] { Note("end orphans"); }, [this] { Note("spawner gone"); }});
  }
  static v1::Place Here() {
    v1::Place place;
    place.set_machine("machine");
    place.set_pids("pids");
    return place;
  }

  // What was told to the driver, asked of the spawner, and heard by the rank, in short.
  void Note(const std::string& what) {
    noted.push_back(what);
    if (what == awaited) loop.Stop();
  }
  void Tell(const v1::NodeToDriver& message) {
    if (message.has_exited()) {
      exited = message.exited();
      Note("exited");
    }
    if (message.has_listens()) Note(absl::StrCat("listens as ", message.listens().pid()));
    if (message.has_cleared()) Note("cleared");
    if (message.has_program_gone()) Note("program gone");
  }
  void OnSpawner() {
    v1::ToSpawner message;
    while (true) {
      const auto read = from_daemon->Next(&message);
      if (!read.ok()) return loop.Forget(spawner.get());
      if (!*read) return;
      if (message.has_spawn()) {
        spawn = message.spawn();
        fds = from_daemon->TakeFds();
        Note("spawn");
      }
      if (message.has_signal()) Note(absl::StrCat("signal ", message.signal().number()));
    }
  }
  // Until that is noted; false after a long time without.
  bool Run(const std::string& what) {
    awaited = what;
    loop.PostAfter(absl::Seconds(30), [this] { loop.Stop(); });
    if (!Has(what)) loop.Run();
    return Has(what);
  }
  bool Has(const std::string& what) const { return std::count(noted.begin(), noted.end(), what) > 0; }
  // The job's process is asked of the spawner.
  void Begin(int program = ::getpid()) {
    daemon->OnMessage(StartOf(program));
    executor.RunAll();  // the program is here
    REQUIRE(Run("spawn"));
    REQUIRE(fds.size() == 4);  // the executable, the role's, standard output, standard error
  }
  // It runs, and says where it listens.
  void Listen(int pid = kNobody) {
    Say(pid);
    v1::FromWorker listening;
    listening.mutable_listening()->set_socket("unix-abstract:there");
    REQUIRE(rpc::SendMessage(fds[1].get(), listening).ok());
    REQUIRE(Run(absl::StrCat("listens as ", pid)));
  }
  void Say(int pid) const {
    v1::FromSpawner forked, executed;
    forked.mutable_forked()->set_key(kRank);
    forked.mutable_forked()->set_pid(pid);
    executed.mutable_executed()->set_key(kRank);
    REQUIRE(rpc::SendMessage(spawner.get(), forked).ok());
    REQUIRE(rpc::SendMessage(spawner.get(), executed).ok());
  }
  void Die(int status) const {
    v1::FromSpawner ended;
    ended.mutable_ended()->set_key(kRank);
    ended.mutable_ended()->set_status(status);
    REQUIRE(rpc::SendMessage(spawner.get(), ended).ok());
  }
  // Nothing that it has started is left.
  void Clear() const {
    v1::FromSpawner cleared;
    cleared.mutable_cleared()->set_key(kRank);
    REQUIRE(rpc::SendMessage(spawner.get(), cleared).ok());
  }
  // Of the rank's end: what comes next.
  v1::ToWorker Heard() {
    v1::ToWorker message;
    if (role == nullptr) role = std::make_unique<rpc::MessageReader>(fds[1].get());
    REQUIRE(role->Next(&message).ok());
    return message;
  }

  base::FdLoop loop;
  base::SteppedExecutor executor;
  LogFiles files{{}, nullptr};
  OutputStore output{{}, &files};
  ProgramStore store{
      {.node = "n", .place = Here(), .fetch = {}, .scratch = [](const std::string&) {}, .scratch_gone = {}},
      &executor,
      [this](base::Task task) { loop.Post(std::move(task)); }};
  SideThreads threads{&executor, [this](base::Task task) { loop.Post(std::move(task)); }};
  base::Fd spawner;
  std::unique_ptr<rpc::MessageReader> from_daemon;
  std::unique_ptr<NodeDaemon> daemon;
  Texts noted;
  std::string awaited;
  v1::Spawn spawn;
  std::vector<base::Fd> fds;
  std::unique_ptr<rpc::MessageReader> role;
  v1::ProcessExited exited;
};

TEST_CASE("a process is asked of the spawner with the program's words, and told what it is and who listens") {
  DaemonNode node;
  node.Begin();
  CHECK(node.spawn.key() == kRank);
  CHECK(node.spawn.directory() == "/somewhere");
  REQUIRE(node.spawn.arguments_size() == 1);
  CHECK(node.spawn.arguments(0) == "train");
  const Texts environment(node.spawn.environment().begin(), node.spawn.environment().end());
  for (const char* variable : {"COLOUR=blue", "RANK=0", "TWINKLE_GROUP=policy", "TWINKLE_NODE=n"}) {
    CAPTURE(variable);
    CHECK(std::count(environment.begin(), environment.end(), variable) == 1);
  }
  const v1::ToWorker first = node.Heard();
  CHECK(first.role().process().id() == kRank);
  CHECK(first.role().driver() == "driver:1");
  CHECK(first.role().job().secret() == "secret");
  CHECK(first.role().job().processes().empty());
  node.Listen();
  v1::DriverToNode peers;
  peers.mutable_peers()->set_job(kJob);
  node.daemon->OnMessage(peers);
  CHECK(node.Heard().peers().job() == kJob);
}

TEST_CASE("what a process has printed comes with the verdict on it, the line that has not ended, too") {
  DaemonNode node;
  node.Begin();
  node.Listen();
  const std::string words = "one\nthe last";
  REQUIRE(::write(node.fds[3].get(), words.data(), words.size()) == static_cast<ssize_t>(words.size()));
  node.Die(SIGSEGV);
  REQUIRE(node.Run("exited"));
  CHECK(node.exited.process() == kRank);
  CHECK(node.exited.cause() == "was killed by signal 11 (SIGSEGV)");
  CHECK(Texts(node.exited.last_lines().begin(), node.exited.last_lines().end()) == Texts{"one", "the last"});
}

TEST_CASE("what a process had printed is there at the daemon's end, also when nobody told of the process's") {
  DaemonNode node;
  node.Begin();
  node.Listen();
  Texts watched;
  node.output.Watch(ToTheEnd(), [&](const OutputStore::Message& message) {
    watched.push_back(message == nullptr ? "(end)" : message->lines(0).text());
  });
  const std::string words = "the last";
  REQUIRE(::write(node.fds[2].get(), words.data(), words.size()) == static_cast<ssize_t>(words.size()));
  node.daemon->EndOutput();
  CHECK(watched == Texts{"the last", "(end)"});
  node.daemon->EndOutput();
  CHECK(watched.size() == 2);
}

TEST_CASE("a job that is stopped is cleared when nothing of its process is left; then its watchers hear its end") {
  DaemonNode node;
  node.Begin();
  node.Listen();
  node.output.Watch(ToTheEnd(), [&](const OutputStore::Message& message) {
    if (message == nullptr) node.Note("output ended");
  });
  node.daemon->OnMessage(StopNow());
  REQUIRE(node.Run("signal 9"));
  CHECK_FALSE(node.daemon->idle());
  node.Die(SIGKILL);
  REQUIRE(node.Run("exited"));
  CHECK_FALSE(node.Has("output ended"));
  node.Clear();
  REQUIRE(node.Run("cleared"));
  CHECK(node.daemon->idle());
  CHECK(node.Has("output ended"));
}

TEST_CASE("why a process did not start is told to the driver and to who watches its output") {
  DaemonNode node;
  node.Begin();
  v1::FromSpawner refused;
  refused.mutable_not_started()->set_key(kRank);
  refused.mutable_not_started()->set_why("its directory '/somewhere' could not be entered: No such file or directory");
  REQUIRE(rpc::SendMessage(node.spawner.get(), refused).ok());
  REQUIRE(node.Run("exited"));
  CHECK_THAT(node.exited.cause(), ContainsSubstring("could not be entered"));
  CHECK_THAT(node.output.LastLines(kRank, 1).at(0), ContainsSubstring("could not be entered"));
}

TEST_CASE("that a process is stopped is told to who watches its output, and is nothing that it has printed") {
  Idle rank;
  DaemonNode node;
  node.Begin();
  node.Listen(rank.pid);
  node.output.Watch(ToTheEnd(), [&](const OutputStore::Message& message) {
    if (message != nullptr && absl::StrContains(message->lines(0).text(), "is stopped by a signal")) node.Note("told");
  });
  ::kill(rank.pid, SIGSTOP);
  const std::function<void()> look = [&] {
    node.executor.RunAll();
    node.loop.Post(look);
  };
  look();
  CHECK(node.Run("told"));
  CHECK(node.output.LastLines(kRank, 10).empty());
}

TEST_CASE("a program that ends is noticed, and its processes are killed") {
  Idle program;
  DaemonNode node;
  node.Begin(program.pid);
  node.Listen();
  CHECK_FALSE(node.Has("program gone"));
  program.End();
  CHECK(node.Run("signal 9"));
  CHECK(node.Has("program gone"));
}

TEST_CASE("a program that has ended before it could be watched is gone, too") {
  DaemonNode node;
  node.daemon->OnMessage(StartOf(kNobody));
  CHECK(node.Run("program gone"));
}

TEST_CASE("without a spawner the processes are killed and told of, and only then it is told") {
  Idle rank;
  DaemonNode node;
  node.Begin();
  node.Listen(rank.pid);
  const std::string words = "alive";
  REQUIRE(::write(node.fds[2].get(), words.data(), words.size()) == static_cast<ssize_t>(words.size()));
  node.loop.Forget(node.spawner.get());
  node.spawner.Reset();
  REQUIRE(node.Run("spawner gone"));
  const auto last = node.noted.end();
  CHECK(Texts(last - 3, last) == Texts{"end orphans", "exited", "spawner gone"});
  CHECK_THAT(node.exited.cause(), ContainsSubstring("was ended with the node's spawner"));
  CHECK(node.output.LastLines(kRank, 1) == Texts{"alive"});
  CHECK(rank.End(/*number=*/0) == SIGKILL);
}

TEST_CASE("NS9: a rank that has closed its role and goes on is killed, and that is its cause") {
  const Idle rank;
  DaemonNode node;
  node.Begin();
  node.Listen(rank.pid);
  node.fds[1].Reset();
  REQUIRE(node.Run("signal 9"));
  node.Die(SIGKILL);
  REQUIRE(node.Run("exited"));
  CHECK_THAT(node.exited.cause(), ContainsSubstring("left its job without ending"));
}

TEST_CASE("without a driver all jobs end, and the next driver hears nothing of them") {
  DaemonNode node;
  node.Begin();
  node.Listen();
  node.daemon->EndAllJobs();
  REQUIRE(node.Run("signal 9"));
  node.Die(SIGKILL);
  node.Clear();
  const std::function<void()> look = [&] {
    if (node.daemon->idle()) return node.Note("idle");
    node.loop.Post(look);
  };
  look();
  REQUIRE(node.Run("idle"));
  CHECK_FALSE(node.Has("exited"));
  CHECK_FALSE(node.Has("cleared"));
}

}  // namespace
}  // namespace twinkle::worker

// The driver's word, as users get it: restarts, names, a disk that fails, and how it is started and ended.
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/integration/cluster/processes.h"
#include "tests/integration/session.h"

namespace twinkle::tests {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::ContainsSubstring;

// ---- a private one's word to its program
// What the service says over its link, after who it is, when it is told that role. Empty where it says nothing.
std::string SaidOf(const std::string& service, const std::string& role) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return "no socket";
  ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  Child child({ServicePath(service), "--private-fd", std::to_string(ends[1])});
  ::close(ends[1]);
  static_cast<void>(::send(ends[0], role.data(), role.size(), MSG_NOSIGNAL));
  std::string said;
  char byte = 0;
  while (::read(ends[0], &byte, 1) == 1) said += byte;
  ::close(ends[0]);
  return said.substr(0, 1) == "S" ? said.substr(1) : "not who it is";
}

TEST_CASE("a private service that cannot start tells its program why") {
  CHECK(SaidOf("twinkle-driver", "nothing\n") == "Fthe program sent no role");
  CHECK(SaidOf("twinkle-worker", "nothing\n") == "Fthe program sent no role");
  const std::string name = absl::StrCat("twinkle-test-taken-", ::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size());
  const int taken = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  REQUIRE(::bind(taken, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  const std::string said = SaidOf("twinkle-driver", absl::StrCat("token unix-abstract:", name, "\n"));
  ::close(taken);
  CHECK_THAT(said, ContainsSubstring(absl::StrCat("Fcannot listen on unix-abstract:", name)));
}

// ---- what it says
TEST_CASE("who comes and goes is said, and how jobs have ended can be asked for") {
  TestCluster cluster({{"a", {"--cpus", "4"}}});
  Child sleeper(Program({"sleeper"}), cluster.environment());
  REQUIRE(sleeper.AwaitOutput("SLEEPING"));
  cluster.Command({"stop", "1"});
  CHECK(sleeper.Wait() == 1);
  const auto status = [&] { return cluster.Command({"status"}); };
  CHECK(Eventually([&] { return absl::StrContains(status(), "no jobs"); }));
  CHECK_THAT(status(), ContainsSubstring("': ended "));
  CHECK_THAT(status(), ContainsSubstring("CANCELLED\n      it was stopped by a command"));
  CHECK_THAT(cluster.Command({"status", "--json"}), ContainsSubstring("\"code\": \"CANCELLED\""));
  CHECK_THAT(cluster.Command({"status", "--ended", "-n", "1"}), ContainsSubstring("it was stopped by a command"));
  CHECK(cluster.Command({"status", "--ended", "-n", "0"}).empty());
  const std::string said = cluster.driver_process().Output();
  for (const char* line :
       {"twinkle-driver: node 1 'a' has joined\n", "was submitted\n",
        "twinkle-driver: job 1 was placed: ", "twinkle-driver: job 1 has ended: it was stopped by a command\n"}) {
    CHECK_THAT(said, ContainsSubstring(line));
  }
}

TEST_CASE("a second daemon of a node's name is not let in, the first is left alone") {
  TestCluster cluster({{"a", {"--cpus", "4"}}});
  Child second({ServicePath("twinkle-worker"), "--node-name", "a"}, cluster.environment());
  CHECK(second.AwaitOutput("there is a node 'a' already"));
  const std::string status = cluster.Command({"status"});
  CHECK_FALSE(absl::StrContains(second.Output(), "has joined"));
  CHECK_THAT(status, ContainsSubstring(absl::StrCat("pid ", cluster.node(0).pid())));
  CHECK_FALSE(absl::StrContains(status, absl::StrCat("pid ", second.pid())));
  cluster.node(0).Signal(SIGKILL);
  CHECK(second.AwaitOutput("has joined"));
}

TEST_CASE("a program whose file has an odd name begins") {
  TestCluster cluster({{"a", {"--cpus", "4"}}});
  const Folder folder;
  const std::string odd = folder / "caf\xe9\n\x1b[31m";
  fs::copy_file("/proc/self/exe", odd);
  Child once({odd, "--program", "once", "cpu", "2"}, cluster.environment());
  CHECK(once.Wait() == 0);
  CHECK_THAT(once.Output(), ContainsSubstring("DONE"));
  const std::string status = cluster.Command({"status"});
  CHECK_THAT(status, ContainsSubstring("'caf\\xe9\\n\\x1b[31m'"));
  CHECK_FALSE(absl::StrContains(status, "\x1b"));
}

// ---- what is refused before anything is sent
TEST_CASE("names are checked by the program that gives them") {
  const auto begin = [](InitializeOptions options) {
    options.mode = Mode::kCluster;
    if (options.groups.empty()) options.groups = {Cpu("pool", 1)};
    char* argv[] = {nullptr};
    return Initialize(0, argv, std::move(options)).status();
  };
  const std::string cases[] = {"a/b", "../../x", "a\nb", "\xff", std::string(300, 'x'), ""};
  for (const std::string& name : cases) {
    const absl::Status refused = begin({.groups = {Cpu(name, 1)}});
    CHECK(absl::IsInvalidArgument(refused));
    CHECK_THAT(std::string(refused.message()), ContainsSubstring("the name of a device group"));
  }
  CHECK(absl::IsInvalidArgument(begin({.groups = {Cpu("pool", 2'000'000'000)}})));
  CHECK(absl::IsInvalidArgument(begin({.name = "x'\n  job 9 'y': running"})));
  ::setenv("TWINKLE_TEST_LARGE", std::string(5 << 20, 'x').c_str(), 1);
  const absl::Status large = begin({});
  ::unsetenv("TWINKLE_TEST_LARGE");
  CHECK(absl::IsInvalidArgument(large));
  CHECK_THAT(std::string(large.message()), ContainsSubstring("the program's environment is too large"));
}

// ---- its disk
TEST_CASE("a state folder that is removed underneath: new jobs are told so, what runs goes on") {
  const Folder folder;
  const std::string state = folder / "state";
  TestCluster cluster({{"a", {"--cpus", "8"}}}, {"--state-dir", state});
  Child sleeper(Program({"sleeper"}), cluster.environment());
  REQUIRE(sleeper.AwaitOutput("SLEEPING"));
  fs::remove_all(state);
  Child late(Program({"begin"}), cluster.environment());
  CHECK(late.Wait() == 1);
  CHECK_THAT(late.Output(), ContainsSubstring("UNAVAILABLE: the driver takes no new jobs"));
  CHECK_THAT(late.Output(), ContainsSubstring(state));
  CHECK(IsAlive(sleeper.pid()));
  CHECK_THAT(cluster.Command({"status"}), ContainsSubstring("no new jobs and nodes are taken: "));
}

TEST_CASE("after a restart no number is given twice, and the jobs of before have ended") {
  const Folder folder;
  const std::vector<std::string> options = {"--state-dir", folder / "state"};
  {
    TestCluster cluster({{"a", {"--cpus", "4"}}}, options);
    Child sleeper(Program({"sleeper"}), cluster.environment());
    REQUIRE(sleeper.AwaitOutput("SLEEPING"));
    cluster.driver_process().Signal(SIGKILL);
    CHECK(sleeper.Wait() == 1);
  }
  TestCluster cluster({{"a", {"--cpus", "4"}}}, options);
  Child sleeper(Program({"sleeper"}), cluster.environment());
  REQUIRE(sleeper.AwaitOutput("SLEEPING"));
  CHECK_THAT(cluster.Command({"status"}), ContainsSubstring("job 2 "));
}

TEST_CASE("without a journal it goes on behind the jobs that a node which joins has heard of") {
  TestCluster cluster({{"a", {"--cpus", "4"}}});
  Child sleeper(Program({"sleeper"}), cluster.environment());
  REQUIRE(sleeper.AwaitOutput("SLEEPING"));
  cluster.driver_process().Signal(SIGKILL);
  CHECK(sleeper.Wait() == 1);
  const Child next({ServicePath("twinkle-driver"), "--listen", cluster.driver(), "--token-file", cluster.token_file()});
  REQUIRE(next.AwaitOutput("'a' has joined"));
  Child another(Program({"sleeper"}), cluster.environment());
  REQUIRE(another.AwaitOutput("SLEEPING"));
  CHECK_THAT(cluster.Command({"status"}), ContainsSubstring("job 2 "));
}

// ---- its start
TEST_CASE("where it cannot serve is told in its own words, and no token is made for that") {
  const TestCluster cluster({});
  const Folder folder;
  const auto start = [&](std::vector<std::string> words, int code = 1) {
    words.insert(words.begin(), {ServicePath("twinkle-driver"), "--token-file", folder / "token"});
    Child driver(words);
    CHECK(driver.Wait() == code);
    CHECK_FALSE(absl::StrContains(driver.Output(), "chttp2"));
    CHECK_FALSE(fs::exists(folder / "token"));
    return driver.Output();
  };
  const std::string port = cluster.driver().substr(cluster.driver().rfind(':') + 1);
  CHECK(start({"--listen", cluster.driver()}) == absl::StrCat("twinkle-driver: cannot serve on ", cluster.driver(),
                                                              ": port ", port, " of host 127.0.0.1 is in use\n"));
  for (const char* bad : {"7077", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70777", "::1:0", ":7077"}) {
    CHECK_THAT(start({"--listen", bad}, 2), ContainsSubstring("--listen is HOST:PORT"));
  }
  CHECK_THAT(start({"--listen", "0.0.0.0:0"}, 2), ContainsSubstring("--insecure-network"));
  CHECK_THAT(start({"--listen", "127.0.0.1:0", "--state-dir", "/proc/nowhere"}), ContainsSubstring("/proc/nowhere"));
}

TEST_CASE("it serves on an address of the sixth version, and ends at once when it is told to") {
  const Folder folder;
  Child driver({ServicePath("twinkle-driver"), "--listen", "[::1]:0", "--token-file", folder / "token"});
  if (!driver.AwaitOutput("twinkle-driver serves on [::1]:")) {
    CHECK_THAT(driver.Output(), ContainsSubstring("host ::1"));  // a machine without
    return;
  }
  const std::string output = driver.Output();
  const std::string address = output.substr(output.find("[::1]:"), output.find(',') - output.find("[::1]:"));
  Child status({ServicePath("twinkle"), "status", "--driver", address, "--token-file", folder / "token"});
  CHECK(status.Wait() == 0);
  CHECK_THAT(status.Output(), ContainsSubstring("no nodes"));
  driver.Signal(SIGTERM);
  CHECK(driver.Wait() == 0);
}

}  // namespace
}  // namespace twinkle::tests

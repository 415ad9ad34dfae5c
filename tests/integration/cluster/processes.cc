#include "tests/integration/cluster/processes.h"

#include <absl/time/clock.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "runtime/base/clock.h"

namespace twinkle::tests {
namespace fs = std::filesystem;

namespace {

fs::path NewFile() {
  std::string path = (fs::temp_directory_path() / "twinkle-test-output-XXXXXX").string();
  const int fd = ::mkstemp(path.data());
  if (fd < 0) throw std::runtime_error("no temporary file");
  ::close(fd);
  return path;
}

std::vector<std::string> Variables(const Environment& changes) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (changes.count(text.substr(0, text.find('='))) == 0) variables.push_back(text);
  }
  for (const auto& [name, value] : changes) {
    if (!value.empty()) variables.push_back(name + "=" + value);
  }
  return variables;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

// ---- one process
std::vector<std::string> Program(std::vector<std::string> words) {
  words.insert(words.begin(), {"/proc/self/exe", "--program"});
  return words;
}

Child::Child(const std::vector<std::string>& command, const Environment& changes) : file_(NewFile()) {
  std::vector<std::string> words = command;
  std::vector<std::string> variables = Variables(changes);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, file_.c_str(), O_WRONLY | O_APPEND, 0);
  ::posix_spawn_file_actions_adddup2(&files, 1, 2);
  const int failed =
      ::posix_spawn(&pid_, words[0].c_str(), &files, nullptr, Pointers(words).data(), Pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&files);
  if (failed != 0) throw std::runtime_error("cannot start " + words[0]);
}

Child::~Child() {
  if (!reaped_) {
    Signal(SIGKILL);
    Wait();
  }
  std::error_code ignored;
  fs::remove(file_, ignored);
}

void Child::Signal(int number) const {
  if (!reaped_) ::kill(pid_, number);
}

int Child::Wait() {
  int status = 0;
  const bool ended =
      reaped_ || Eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, absl::Seconds(60));
  if (!ended) throw std::runtime_error("a process does not end; it has printed: " + Output());
  if (!std::exchange(reaped_, true)) code_ = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  if (code_ == -SIGABRT) std::fprintf(stderr, "a process has aborted; it had printed: %s\n", Output().c_str());
  return code_;
}

std::string Child::Output() const {
  std::ifstream file(file_, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool Child::AwaitOutput(const std::string& text) const {
  const auto printed = [&] { return Output().find(text) != std::string::npos; };
  return Eventually([&] { return printed() || !IsAlive(pid_); }, absl::Seconds(30)) && printed();
}

// ---- clusters
std::string ServicePath(const std::string& name) { return std::string(TWINKLE_TEST_BIN_DIR) + "/" + name; }

TestCluster::TestCluster(const std::vector<Node>& nodes, const std::vector<std::string>& driver_options) {
  std::vector<std::string> command = {ServicePath("twinkle-driver"),
                                      "--listen",
                                      "127.0.0.1:0",
                                      "--token-file",
                                      token_file(),
                                      "--port-file",
                                      folder_ / "port"};
  command.insert(command.end(), driver_options.begin(), driver_options.end());
  driver_ = std::make_unique<Child>(command);
  std::string port;
  const bool serves = Eventually([&] {
    std::ifstream file(folder_ / "port");
    return static_cast<bool>(std::getline(file, port));
  });
  if (!serves) throw std::runtime_error("the driver does not serve: " + driver_->Output());
  address_ = "127.0.0.1:" + port;
  for (const Node& node : nodes) {
    std::vector<std::string> words = {ServicePath("twinkle-worker"), "--node-name", node.name};
    words.insert(words.end(), node.options.begin(), node.options.end());
    nodes_.push_back(std::make_unique<Child>(words, environment()));
  }
  for (const auto& node : nodes_) {
    if (!node->AwaitOutput("has joined")) throw std::runtime_error("a node does not join: " + node->Output());
  }
}

TestCluster::~TestCluster() {
  for (const auto& node : nodes_) node->Signal(SIGTERM);
  for (const auto& node : nodes_) node->Wait();
  driver_->Signal(SIGTERM);
  driver_->Wait();
}

std::string TestCluster::Command(std::vector<std::string> words) const {
  words.insert(words.begin(), ServicePath("twinkle"));
  Child command(words, environment());
  command.Wait();
  return command.Output();
}

// ---- what there is
bool Eventually(const std::function<bool()>& holds, absl::Duration limit) {
  const base::Instant deadline = base::Now() + limit;
  while (!holds()) {
    if (base::Now() >= deadline) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

bool IsAlive(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return false;
  const size_t name_end = text.rfind(')');
  return name_end != std::string::npos && name_end + 2 < text.size() && text[name_end + 2] != 'Z';
}

std::vector<pid_t> ProcessesWith(const std::string& variable_and_value) {
  std::vector<pid_t> pids;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "environ", std::ios::binary);
    for (std::string variable; std::getline(file, variable, '\0');) {
      if (variable == variable_and_value) pids.push_back(std::stoi(name));
    }
  }
  return pids;
}

}  // namespace twinkle::tests

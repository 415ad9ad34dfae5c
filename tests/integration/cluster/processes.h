// Processes that tests start, end and look for.
#pragma once

#include <absl/time/time.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/folder.h"

namespace twinkle::tests {

using Environment = std::map<std::string, std::string>;

// The command of one of the programs in programs.h, with its arguments.
std::vector<std::string> Program(std::vector<std::string> words);

// A child process, its output taken. Ended by SIGKILL with its owner.
class Child {
 public:
  // `changes` to this process's environment; an empty value removes the variable.
  Child(const std::vector<std::string>& command, const Environment& changes = {});
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int number) const;
  // Its exit code, or minus the signal that ended it. Blocks, 60 s at most.
  int Wait();
  // What it has printed, on both of its outputs.
  std::string Output() const;
  // Blocks until it has printed that; false after 30 s, or when it has ended without.
  bool AwaitOutput(const std::string& text) const;

 private:
  std::filesystem::path file_;
  pid_t pid_ = 0;
  bool reaped_ = false;
  int code_ = 0;
};

// A driver and node daemons, as a user starts them.
class TestCluster {
 public:
  struct Node {
    std::string name;
    std::vector<std::string> options = {};
  };
  explicit TestCluster(const std::vector<Node>& nodes, const std::vector<std::string>& driver_options = {});
  ~TestCluster();

  const std::string& driver() const { return address_; }
  std::string token_file() const { return folder_ / "token"; }
  Environment environment() const { return {{"TWINKLE_DRIVER", address_}, {"TWINKLE_TOKEN_FILE", token_file()}}; }
  Child& driver_process() { return *driver_; }
  Child& node(size_t index) { return *nodes_[index]; }
  // What `twinkle` says to these words.
  std::string Command(std::vector<std::string> words) const;

 private:
  Folder folder_;
  std::unique_ptr<Child> driver_;
  std::string address_;
  std::vector<std::unique_ptr<Child>> nodes_;
};

// Of this build.
std::string ServicePath(const std::string& name);

// Blocks until it holds; false after the limit.
bool Eventually(const std::function<bool()>& holds, absl::Duration limit = absl::Seconds(20));

// Whether the process is there, and no zombie.
bool IsAlive(pid_t pid);
// All processes that have this in their environment as it was when they began; zombies have none.
std::vector<pid_t> ProcessesWith(const std::string& variable_and_value);

}  // namespace twinkle::tests

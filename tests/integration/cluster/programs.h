// Remote classes of the cluster's tests, and programs that the tests start as processes of their own.
#pragma once

#include <signal.h>
#include <twinkle/twinkle.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace twinkle::tests {

inline void AwaitFile(const std::string& path) {
  while (!std::ifstream(path).is_open()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// What a rank is and can do to itself.
class Probe {
 public:
  int64_t Pid() { return ::getpid(); }
  std::map<std::string, std::string> Variables(const std::vector<std::string>& names) {
    std::map<std::string, std::string> values;
    for (const std::string& name : names) {
      const char* value = std::getenv(name.c_str());
      values[name] = value == nullptr ? "(unset)" : value;
    }
    return values;
  }
  std::string Where() {
    const RankContext context = Context();
    return context.group() + "." + std::to_string(context.rank()) + "/" + std::to_string(context.world_size());
  }
  std::string Directory() {
    char path[4096] = {};
    return ::getcwd(path, sizeof(path) - 1) == nullptr ? "" : path;
  }
  void Print(const std::string& text) {
    std::printf("%s\n", text.c_str());
    std::fprintf(stderr, "to stderr: %s\n", text.c_str());
  }
  // So many lines, as fast as it can.
  void Chat(int64_t lines) {
    for (int64_t i = 0; i < lines; ++i) std::printf("chat %ld of rank %d\n", static_cast<long>(i), Context().rank());
  }
  // A progress bar that stops half-way until the file is there.
  void Progress(const std::string& file) {
    std::printf("\r 10%%\r 50%%");
    std::fflush(stdout);
    AwaitFile(file);
    std::printf("\r100%%\n");
  }
  // On that rank alone.
  void KillSelf(int rank, int signal) {
    if (Context().rank() != rank) return AwaitCancelled();
    std::fprintf(stderr, "the last words of rank %d\n", rank);
    ::raise(signal);
  }
  void ExitSelf(int rank, int code) {
    if (Context().rank() == rank) std::exit(code);
  }
  // Fails on one rank once the others are in here, and have said so with files of that prefix. They wait as in a
  // collective; with `deaf` they do not look whether it makes sense any more.
  absl::Status FailOn(int rank, bool deaf, const std::string& in) {
    if (Context().rank() == rank) {
      for (int other = 0; other < Context().world_size(); ++other) {
        if (other != rank) AwaitFile(in + std::to_string(other));
      }
      return absl::ResourceExhaustedError("no room on this rank");
    }
    std::ofstream(in + std::to_string(Context().rank())).put('x');
    if (deaf) {
      while (true) std::this_thread::sleep_for(std::chrono::seconds(1));
    }
    AwaitCancelled();
    return absl::OkStatus();
  }
  int64_t Sleep(int64_t seconds) {
    std::printf("asleep in %d\n", static_cast<int>(::getpid()));
    for (int64_t i = 0; i < seconds * 100 && !Context().Cancelled(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return ::getpid();
  }
  // A process of the rank's own, in a session of its own.
  int64_t StartGrandchild() {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::setsid();
    while (true) ::sleep(100);
  }
  std::vector<int64_t> Numbers(int64_t count) {
    std::vector<int64_t> numbers(static_cast<size_t>(count));
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int64_t>(i) + 1000 * Context().rank();
    return numbers;
  }
  int64_t Sum(const std::vector<int64_t>& numbers) {
    int64_t sum = 0;
    for (int64_t number : numbers) sum += number;
    return sum;
  }
  Tensor Ones(int64_t rows) { return *Tensor::FromVector<float>(std::vector<float>(static_cast<size_t>(rows), 1.0f)); }
  double Total(const Tensor& tensor) {
    double total = 0;
    const auto data = tensor.data<float>();
    if (!data.ok()) return -1;
    for (float value : *data) total += value;
    return total;
  }
  // The first line of one of the job's files.
  std::string File(const std::string& name) {
    const char* folder = std::getenv("TWINKLE_FILES");
    std::ifstream file(std::string(folder == nullptr ? "" : folder) + "/" + name);
    std::string line;
    std::getline(file, line);
    return line;
  }
  std::string Text(const std::string& text) { return text + " from " + Where(); }

 private:
  static void AwaitCancelled() {
    const RankContext context = Context();
    while (!context.Cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
};
TWINKLE_REMOTE_CLASS(Probe, (), (Pid), (Variables, Dispatch::kAll), (Where), (Directory), (Print), (Chat), (Progress),
                     (KillSelf), (ExitSelf), (FailOn), (Sleep), (StartGrandchild), (Numbers, Collect::kFlatten),
                     (Sum, Dispatch::kSlice, Collect::kSum), (Ones, Collect::kFlatten),
                     (Total, Dispatch::kAll, Collect::kNone), (Text), (File))

// Calls another component from inside a rank.
class Relay {
 public:
  std::string Ask(const Remote<Probe>& probe, const std::string& text) {
    return probe.Rank(0).Text(text).Get().value();
  }
  int64_t Make(const std::string& group) {
    const auto made = New<Probe>({.remote_group = group});
    return made.ok() && made->Pid().Get().ok() ? static_cast<int64_t>((*made->Pid().Get()).size()) : -1;
  }
};
TWINKLE_REMOTE_CLASS(Relay, (), (Ask, Collect::kFirst), (Make, Collect::kFirst))

// The program of that name, if there is one; its exit code.
int RunProgram(const std::string& name, int argc, char** argv);

}  // namespace twinkle::tests

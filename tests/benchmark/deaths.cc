// How soon a death is known, and what a program's own death leaves behind.
#include <dirent.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "tests/benchmark/measure.h"
#include "tests/benchmark/metrics.h"

namespace twinkle::benchmark {
namespace {

constexpr char kMark[] = "TWINKLE_BENCHMARK_VICTIM";

// From SIGKILL of the last rank, in a long call, until the caller has the error.
void MeasureDeath(const Arguments& arguments, int ranks) {
  std::vector<double> times;
  for (int i = 0; i < arguments.samples(5); ++i) {
    Session session = Begin(arguments, {Group("g", ranks)});
    const auto worker = NewWorker("g", ranks);
    const auto pids = Must(worker.Pid().Get());
    const auto sleeping = worker.Sleep();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const Clock::time_point begin = Clock::now();
    ::kill(static_cast<pid_t>(pids.back()), SIGKILL);
    if (sleeping.Get().ok()) std::exit(1);
    times.push_back(SecondsSince(begin) * 1e3);
    session.Finish().IgnoreError();
  }
  Report(ranks == 1 ? "kill_detect_ms" : "group_kill_detect_ms", "ms", times);
}

// Whether any process has the variable with that value in its environment.
bool AnyMarked(const std::string& value) {
  const std::string wanted = std::string(kMark) + "=" + value;
  DIR* const processes = ::opendir("/proc");
  bool found = false;
  while (const dirent* entry = processes == nullptr ? nullptr : ::readdir(processes)) {
    std::ifstream file("/proc/" + std::string(entry->d_name) + "/environ", std::ios::binary);
    const std::string variables{std::istreambuf_iterator<char>(file), {}};
    if ((found = variables.find(wanted) != std::string::npos)) break;
  }
  if (processes != nullptr) ::closedir(processes);
  return found;
}

double KillVictim(const char* program, const std::string& mark) {
  ::setenv(kMark, mark.c_str(), 1);
  const std::string command = std::string("exec '") + program + "' --victim";
  std::FILE* const output = ::popen(command.c_str(), "r");
  ::unsetenv(kMark);
  int pid = 0;
  if (output == nullptr || std::fscanf(output, "%d", &pid) != 1) std::exit(1);
  const Clock::time_point begin = Clock::now();
  ::kill(pid, SIGKILL);
  ::pclose(output);
  while (AnyMarked(mark)) ::usleep(1000);
  return SecondsSince(begin);
}

}  // namespace

int RunVictim(const Arguments& arguments) {
  Session session = Begin(arguments, {Group("g", 4)});
  const auto worker = NewWorker("g", 4);
  Must(worker.Echo(1).Get());
  const auto sleeping = worker.Sleep();
  std::printf("%d\n", ::getpid());
  std::fflush(stdout);
  return sleeping.Get().ok() ? 0 : 1;
}

void MeasureDeaths(const Arguments& arguments) {
  MeasureDeath(arguments, 1);
  MeasureDeath(arguments, 4);
  std::vector<double> times;
  for (int i = 0; i < arguments.samples(5); ++i) {
    times.push_back(KillVictim(arguments.argv[0], std::to_string(::getpid()) + "." + std::to_string(i)));
  }
  Report("driver_kill_cleanup_s", "s", times);
}

}  // namespace twinkle::benchmark

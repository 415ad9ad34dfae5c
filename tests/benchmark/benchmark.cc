// What a call, a start and a death cost, on a private cluster; the metrics are named and defined as in other systems'
// benchmarks of their kind: latencies are medians, "touch" reads one number of each page.
#include <absl/strings/str_format.h>
#include <signal.h>
#include <twinkle/twinkle.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/benchmark/grpc_floor.h"
#include "tests/benchmark/measure.h"

namespace twinkle::benchmark {

class Worker {
 public:
  int64_t Echo(int64_t number) { return number + 1; }
  int64_t Pid() { return ::getpid(); }
  float Touch(const Tensor& tensor) {
    float sum = 0;
    const auto data = tensor.data<float>();
    for (size_t i = 0; data.ok() && i < data->size(); i += 1024) sum += (*data)[i];
    return sum;
  }
  void Sleep() { std::this_thread::sleep_for(std::chrono::seconds(30)); }
};
TWINKLE_REMOTE_CLASS(Worker, (), (Echo), (Pid), (Touch), (Sleep))

namespace {

template <class T>
T Must(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::cerr << value.status() << '\n';
  std::exit(1);
}

DeviceGroup Group(const char* name, int ranks) { return {.name = name, .ranks = ranks, .device_type = "cpu"}; }

Session Begin(int argc, char** argv, std::vector<DeviceGroup> groups) {
  return Must(Initialize(argc, argv, {.groups = std::move(groups), .abort_grace = absl::Milliseconds(100)}));
}

// From nothing to a cluster that can be used, and the end of it.
void MeasureStart(int argc, char** argv, int samples) {
  std::vector<double> starts;
  std::vector<double> ends;
  for (int i = 0; i < samples; ++i) {
    const Clock::time_point begin = Clock::now();
    Session session = Begin(argc, argv, {});
    starts.push_back(SecondsSince(begin));
    ends.push_back(SecondsOf([&] { session.Finish().IgnoreError(); }));
  }
  Report("cluster_start_s", "s", starts);
  Report("shutdown_s", "s", ends);
}

// From asking for that many worker processes until each has answered a call; without the cluster's own start.
void MeasureReady(int argc, char** argv, int ranks, int samples, double cluster_start_s) {
  std::vector<double> times;
  for (int i = 0; i < samples; ++i) {
    const Clock::time_point begin = Clock::now();
    Session session = Begin(argc, argv, {Group("g", ranks)});
    const auto worker = Must(New<Worker>({.remote_group = "g"}));
    Must(worker.Echo(1).Get());
    times.push_back(SecondsSince(begin));
    session.Finish().IgnoreError();
  }
  Report(absl::StrFormat("actors_ready_s_%d", ranks).c_str(), "s", times,
         absl::StrFormat(",\"includes_cluster_start_s\":%.4f", cluster_start_s));
}

std::vector<double> Latencies(int samples, double unit, const std::function<void()>& call) {
  for (int i = 0; i < samples / 10 + 10; ++i) call();
  std::vector<double> times;
  for (int i = 0; i < samples; ++i) times.push_back(SecondsOf(call) * unit);
  return times;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Call and floor in turn, so that the machine's pace is the same for both.
void MeasureCalls(const Remote<Worker>& one, GrpcFloor& floor, int samples) {
  std::vector<double> calls;
  std::vector<double> floors;
  for (int round = 0; round < 10; ++round) {
    for (double time : Latencies(samples / 10, 1e6, [&] { Must(one.Echo(1).Get()); })) calls.push_back(time);
    for (double time : Latencies(samples / 10, 1e6, [&] { floor.Call(); })) floors.push_back(time);
  }
  Report("call_sync_us", "us", calls,
         absl::StrFormat(",\"grpc_unary_us\":%.1f,\"ratio\":%.3f", Median(floors), Median(calls) / Median(floors)));
  std::vector<double> rates;
  for (int round = 0; round < 5; ++round) {
    const double seconds = SecondsOf([&] {
      std::vector<Lazy<std::vector<int64_t>>> lazies;
      for (int i = 0; i < 1000; ++i) lazies.push_back(one.Echo(i));
      for (const auto& lazy : lazies) Must(lazy.Get());
    });
    rates.push_back(1000 / seconds);
  }
  Report("call_async_per_s", "1/s", rates);
}

void MeasureGroups(const Remote<Worker>& four, const Remote<Worker>& one, int samples) {
  Report("group_call_4_us", "us", Latencies(samples / 2, 1e6, [&] { Must(four.Echo(1).Get()); }));
  Report("arg_1mib_us", "us", Latencies(samples / 10, 1e6, [&] {
           Must(one.Touch(*Tensor::FromVector<float>(std::vector<float>(1 << 18, 1.0f))).Get());
         }));
}

// Proportional set size of the workers.
void MeasureMemory(const Remote<Worker>& workers) {
  std::vector<double> sizes;
  for (int64_t pid : Must(workers.Pid().Get())) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    for (std::string word; file >> word;) {
      if (word != "Pss:") continue;
      double kib = 0;
      file >> kib;
      sizes.push_back(kib / 1024);
      break;
    }
  }
  Report("actor_rss_mb", "MB", sizes);
}

// From SIGKILL of the last rank, in a call of 30 s, until the caller has the error.
void MeasureDeath(int argc, char** argv, int ranks, int samples) {
  std::vector<double> times;
  for (int i = 0; i < samples; ++i) {
    Session session = Begin(argc, argv, {Group("g", ranks)});
    const auto worker = Must(New<Worker>({.remote_group = "g"}));
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

int Run(int argc, char** argv, bool quick) {
  const int scale = quick ? 20 : 1;
  std::vector<double> start;
  for (int i = 0; i < 3; ++i) {
    start.push_back(SecondsOf([&] { Begin(argc, argv, {}).Finish().IgnoreError(); }));
  }
  MeasureStart(argc, argv, quick ? 2 : 10);
  MeasureReady(argc, argv, 8, quick ? 1 : 5, Median(start));
  if (!quick) MeasureReady(argc, argv, 32, 2, Median(start));
  {
    GrpcFloor floor(argv[0]);
    Session session = Begin(argc, argv, {Group("one", 1), Group("four", 4), Group("eight", 8)});
    const auto one = Must(New<Worker>({.remote_group = "one"}));
    const auto four = Must(New<Worker>({.remote_group = "four"}));
    const auto eight = Must(New<Worker>({.remote_group = "eight"}));
    Must(eight.Echo(1).Get());
    MeasureMemory(eight);
    MeasureCalls(one, floor, 10000 / scale);
    MeasureGroups(four, one, 4000 / scale);
    session.Finish().IgnoreError();
  }
  MeasureDeath(argc, argv, 1, quick ? 1 : 5);
  MeasureDeath(argc, argv, 4, quick ? 1 : 5);
  return 0;
}

}  // namespace
}  // namespace twinkle::benchmark

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--serve-echo") return twinkle::benchmark::ServeEcho(argv[2]);
  twinkle::ServeIfWorker(argc, argv);
  const std::string option = argc > 1 ? argv[1] : "";
  if (option != "" && option != "--quick") {
    std::cout << "usage: " << argv[0] << " [--quick]\nPrints one line of JSON for each metric.\n";
    return option == "--help" ? 0 : 2;
  }
  return twinkle::benchmark::Run(argc, argv, option == "--quick");
}

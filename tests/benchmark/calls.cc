// What a call costs.
#include <absl/strings/str_format.h>

#include "tests/benchmark/grpc_floor.h"
#include "tests/benchmark/measure.h"
#include "tests/benchmark/metrics.h"

namespace twinkle::benchmark {
namespace {

// The floor first: while it runs this process sleeps, and calls are measured as they come, one after the other.
void MeasureSync(const Remote<Worker>& one, int samples) {
  const std::vector<double> floors = GrpcFloor().Latencies(samples);
  const auto call = [&] { Must(one.Echo(1).Get()); };
  for (int i = 0; i < 2000; ++i) call();  // ranks that have just started are busy with that for some milliseconds
  const std::vector<double> calls = Latencies(samples, 1e6, call);
  Report("call_sync_us", "us", calls,
         absl::StrFormat(",\"grpc_unary_us\":%.1f,\"ratio\":%.3f", Median(floors), Median(calls) / Median(floors)));
}

void MeasureAsync(const Remote<Worker>& one, int batches) {
  constexpr int kCalls = 1000;
  std::vector<double> rates;
  for (int batch = 0; batch < batches; ++batch) {
    const double seconds = SecondsOf([&] {
      std::vector<Lazy<std::vector<int64_t>>> lazies;
      lazies.reserve(kCalls);
      for (int i = 0; i < kCalls; ++i) lazies.push_back(one.Echo(i));
      for (const auto& lazy : lazies) Must(lazy.Get());
    });
    rates.push_back(kCalls / seconds);
  }
  Report("call_async_per_s", "1/s", rates);
}

// Four callers, each with a callee of its own.
void MeasureNToN(const Arguments& arguments) {
  constexpr int kPairs = 4;
  constexpr int kCalls = 1000;
  std::vector<DeviceGroup> groups = {Group("callers", kPairs)};
  for (int i = 0; i < kPairs; ++i) groups.push_back(Group("callee" + std::to_string(i), 1));
  Session session = Begin(arguments, std::move(groups));
  const auto callers = Must(New<Driver>({.remote_group = "callers"}));
  for (int i = 0; i < kPairs; ++i) {
    const auto callee = NewWorker("callee" + std::to_string(i), 1);
    if (!callers.Rank(i).Use(callee).Get().ok()) std::exit(1);
  }
  std::vector<double> rates;
  for (int batch = 0; batch < arguments.samples(40) + 1; ++batch) {
    const double seconds = SecondsOf([&] {
      if (const absl::Status driven = callers.Drive(kCalls).Get(); !driven.ok()) std::exit(1);
    });
    if (batch > 0) rates.push_back(kPairs * kCalls / seconds);
  }
  Report("call_n_to_n_per_s", "1/s", rates);
  session.Finish().IgnoreError();
}

void MeasureGroup(const Remote<Worker>& group, const char* metric, int samples) {
  Report(metric, "us", Latencies(samples, 1e6, [&] { Must(group.Echo(1).Get()); }));
}

}  // namespace

void MeasureCalls(const Arguments& arguments) {
  {
    Session session = Begin(arguments, {Group("one", 1), Group("four", 4), Group("sixteen", 16)});
    const auto one = NewWorker("one", 1);
    const auto four = NewWorker("four", 4);
    const auto sixteen = NewWorker("sixteen", 16);
    MeasureSync(one, arguments.samples(10000));
    MeasureAsync(one, arguments.samples(120));  // most of a second: 12 would be a few time slices of the kernel's
    MeasureGroup(four, "group_call_4_us", arguments.samples(2000));
    MeasureGroup(sixteen, "group_call_16_us", arguments.samples(1000));
    const std::vector<int64_t> numbers = {0, 1, 2, 3, 4, 5, 6, 7};
    Report("group_slice_dp_4_us", "us",
           Latencies(arguments.samples(2000), 1e6, [&] { Must(four.EchoSlice(numbers).Get()); }));
    session.Finish().IgnoreError();
  }
  MeasureNToN(arguments);
}

}  // namespace twinkle::benchmark

// What large values cost.
#include <absl/strings/str_format.h>
#include <absl/time/clock.h>

#include <cstring>

#include "tests/benchmark/measure.h"
#include "tests/benchmark/metrics.h"

namespace twinkle::benchmark {
namespace {

constexpr double kBigBytes = 4.0 * kBig;
constexpr absl::Duration kLong = absl::Seconds(60);

void MeasureArgument(const Remote<Worker>& one, int samples) {
  std::vector<double> times;
  for (int i = 0; i < samples + 10; ++i) {
    const Tensor fresh = Filled(kMiB, static_cast<float>(i));
    const double seconds = SecondsOf([&] { Must(one.Touch(fresh).Get()); });
    if (i >= 10) times.push_back(seconds * 1e6);
  }
  const double gbs = 4.0 * kMiB / Median(times) / 1e3;
  Report("arg_1mib_us", "us", times, absl::StrFormat(",\"gbs\":%.3g", gbs));
}

// The floor: one core copies what is in memory to where it has copied to before.
double CopySpeed(int samples) {
  const std::vector<float> from(kBig, 1.0F);
  std::vector<float> to(kBig, 2.0F);
  std::vector<double> speeds;
  for (int i = 0; i < samples; ++i) {
    const double seconds = SecondsOf([&] { std::memcpy(to.data(), from.data(), static_cast<size_t>(kBigBytes)); });
    speeds.push_back(kBigBytes / seconds / 1e9);
  }
  Report("memcpy_256mib_gbs", "GB/s", speeds);
  return Median(speeds);
}

void MeasurePut(int samples) {
  const Tensor warm = Filled(kBig, 1.0F);
  std::vector<double> speeds;
  double first = 0;
  for (int i = 0; i <= samples; ++i) {
    Lazy<Tensor> kept;
    const double speed = kBigBytes / SecondsOf([&] { kept = Put(warm); }) / 1e9;
    i == 0 ? void(first = speed) : speeds.push_back(speed);
    kept = {};
    absl::SleepFor(absl::Milliseconds(300));
  }
  const double floor = CopySpeed(samples);
  Report(
      "put_256mib_gbs", "GB/s", speeds,
      absl::StrFormat(",\"first_gbs\":%.3g,\"memcpy_gbs\":%.3g,\"ratio\":%.3f", first, floor, Median(speeds) / floor));
}

// The first there is, with memory that was got ready before.
void MeasureFirstPut(const Arguments& arguments) {
  Session session = Must(Initialize(arguments.argc, arguments.argv, {.prefault_bytes = size_t{512} << 20}));
  absl::SleepFor(absl::Seconds(2));
  const Tensor warm = Must(Tensor::FromVector<float>(std::vector<float>(kBig, 1.0F)));
  Lazy<Tensor> kept;
  const double seconds = SecondsOf([&] { kept = Put(warm); });
  Report("put_256mib_prefaulted_gbs", "GB/s", {kBigBytes / seconds / 1e9});
  kept = {};
  session.Finish().IgnoreError();
}

void MeasureGet(const Remote<Worker>& one, int samples) {
  std::vector<double> speeds;
  std::vector<double> placed;
  for (int i = 0; i <= samples; ++i) {
    const Lazy<Tensor> made = one.Make(kBig, 1.0F);
    if (!made.Wait(kLong).ok()) std::exit(1);
    const Clock::time_point begin = Clock::now();
    const Tensor& tensor = *made.Get();
    const double readable = SecondsSince(begin);
    if (TouchPages(tensor) != kBig / 1024.0) std::exit(1);
    if (i == 0) continue;
    speeds.push_back(kBigBytes / SecondsSince(begin) / 1e9);
    placed.push_back(readable * 1e3);
  }
  Report("get_256mib_gbs", "GB/s", speeds, absl::StrFormat(",\"readable_after_ms\":%.3g", Median(placed)));
}

void MeasureHandOver(const Remote<Worker>& from, const Remote<Worker>& to, int samples) {
  std::vector<double> transfers;
  std::vector<double> totals;
  for (int i = 0; i <= samples; ++i) {
    const Clock::time_point begin = Clock::now();
    const Lazy<Tensor> made = from.Make(kBig, 1.0F);
    if (!made.Wait(kLong).ok()) std::exit(1);
    const Clock::time_point there = Clock::now();
    if (Must(to.Touch(made).Get()).at(0) != kBig / 1024.0) std::exit(1);
    if (i == 0) continue;
    transfers.push_back(SecondsSince(there) * 1e3);
    totals.push_back(SecondsSince(begin) * 1e3);
  }
  Report("actor_to_actor_256mib_ms", "ms", transfers,
         absl::StrFormat(",\"with_production_ms_p50\":%.4g", Median(totals)));
}

void MeasureReshard(const Remote<Worker>& producers, const Remote<Worker>& consumers, int samples) {
  if (!producers.Prepare(16, kMiB).Get().ok()) std::exit(1);
  int64_t bytes = 0;
  const std::vector<double> times =
      Latencies(samples, 1e3, [&] { bytes = Must(consumers.Consume(producers.Produce()).Get()); });
  Report("reshard_ms", "ms", times);
  Report("reshard_bytes", "bytes", {static_cast<double>(bytes)});
}

}  // namespace

void MeasureData(const Arguments& arguments) {
  MeasureFirstPut(arguments);
  Session session =
      Begin(arguments, {Group("one", 1), Group("other", 1), Group("producers", 4), Group("consumers", 4)});
  const auto one = NewWorker("one", 1);
  const auto other = NewWorker("other", 1);
  const auto producers = NewWorker("producers", 4);
  const auto consumers = NewWorker("consumers", 4);
  MeasureArgument(one, arguments.samples(500));
  MeasurePut(arguments.samples(10));
  MeasureGet(one, arguments.samples(5));
  MeasureHandOver(one, other, arguments.samples(5));
  MeasureReshard(producers, consumers, arguments.samples(30));
  session.Finish().IgnoreError();
}

}  // namespace twinkle::benchmark

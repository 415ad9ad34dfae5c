// What a group call costs against the number of ranks.
#include <absl/strings/str_format.h>

#include <cmath>

#include "tests/benchmark/measure.h"
#include "tests/benchmark/metrics.h"

namespace twinkle::benchmark {
namespace {

// Of the straight line through the points, by least squares.
double Slope(const std::vector<double>& x, const std::vector<double>& y) {
  double mean_x = 0;
  double mean_y = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / static_cast<double>(x.size());
    mean_y += y[i] / static_cast<double>(x.size());
  }
  double products = 0;
  double squares = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    products += (x[i] - mean_x) * (y[i] - mean_y);
    squares += (x[i] - mean_x) * (x[i] - mean_x);
  }
  return products / squares;
}

}  // namespace

void MeasureScale(const Arguments& arguments) {
  std::vector<double> ranks;
  std::vector<double> costs;
  std::vector<double> logs_of_ranks;
  std::vector<double> logs_of_costs;
  for (const int count : {1, 4, 16, 64, 256}) {
    Session session =
        Must(Initialize(arguments.argc, arguments.argv, {.mode = Mode::kInProcess, .groups = {Group("g", count)}}));
    const auto worker = NewWorker("g", count);
    const std::vector<double> times =
        Latencies(arguments.samples(2000 / count + 20), 1e6, [&] { Must(worker.Echo(1).Get()); });
    Report(absl::StrFormat("group_call_in_memory_%d_us", count).c_str(), "us", times);
    ranks.push_back(count);
    costs.push_back(Median(times));
    logs_of_ranks.push_back(std::log(count));
    logs_of_costs.push_back(std::log(Median(times)));
    session.Finish().IgnoreError();
  }
  Report("group_call_in_memory_us_per_rank", "us", {Slope(ranks, costs)},
         absl::StrFormat(",\"exponent\":%.2f", Slope(logs_of_ranks, logs_of_costs)));
}

}  // namespace twinkle::benchmark

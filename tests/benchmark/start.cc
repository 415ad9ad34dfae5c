// From nothing to ranks that answer, and what they weigh.
#include <absl/strings/str_format.h>

#include "tests/benchmark/measure.h"
#include "tests/benchmark/metrics.h"

namespace twinkle::benchmark {
namespace {

double MeasureCluster(const Arguments& arguments) {
  std::vector<double> starts;
  for (int i = 0; i < arguments.samples(10); ++i) {
    const Clock::time_point begin = Clock::now();
    Session session = Begin(arguments, {});
    starts.push_back(SecondsSince(begin));
    session.Finish().IgnoreError();
  }
  Report("cluster_start_s", "s", starts);
  return Median(starts);
}

// From asking for that many worker processes until each has answered a call.
void MeasureReady(const Arguments& arguments, int ranks, int samples, double cluster_start_s) {
  std::vector<double> times;
  std::vector<double> ends;
  for (int i = 0; i < samples; ++i) {
    const Clock::time_point begin = Clock::now();
    Session session = Begin(arguments, {Group("g", ranks)});
    const auto worker = NewWorker("g", ranks);
    Must(worker.Echo(1).Get());
    times.push_back(SecondsSince(begin));
    ends.push_back(SecondsOf([&] { session.Finish().IgnoreError(); }));
  }
  Report(absl::StrFormat("actors_ready_s_%d", ranks).c_str(), "s", times,
         absl::StrFormat(",\"includes_cluster_start_s\":%.4f", cluster_start_s));
  if (ranks == 8) Report("shutdown_s", "s", ends);
}

// Proportional set size of idle ranks; and how long one more component of theirs takes.
void MeasureIdle(const Arguments& arguments) {
  Session session = Begin(arguments, {Group("g", 8)});
  const auto workers = NewWorker("g", 8);
  std::vector<double> sizes;
  for (int64_t pid : Must(workers.Pid().Get())) sizes.push_back(PssMegabytes(pid));
  Report("actor_rss_mb", "MB", sizes);
  Report("new_component_ms", "ms", Latencies(arguments.samples(200), 1e3, [&] {
           const auto further = NewWorker("g", 8);
           if (!further.component().WaitReady(absl::Seconds(20)).ok()) std::exit(1);
         }));
  session.Finish().IgnoreError();
}

}  // namespace

void MeasureStart(const Arguments& arguments) {
  const double cluster_start_s = MeasureCluster(arguments);
  MeasureReady(arguments, 8, arguments.samples(5), cluster_start_s);
  if (!arguments.quick) MeasureReady(arguments, 32, 2, cluster_start_s);
  MeasureIdle(arguments);
}

}  // namespace twinkle::benchmark

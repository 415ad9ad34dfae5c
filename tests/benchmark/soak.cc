// Everything at full speed for as long as is asked, and what memory that takes over time.
#include <absl/strings/str_format.h>

#include "tests/benchmark/measure.h"
#include "tests/benchmark/metrics.h"

namespace twinkle::benchmark {
namespace {

constexpr int kCalls = 1000;          // in flight
constexpr int64_t kElements = 4000;   // of a small tensor
constexpr double kReportSeconds = 5;  // at most so often

// One round: small calls, tensors made in place and handed on, lists sliced, plans over rows.
void Work(const Remote<Worker>& one, const Remote<Worker>& four, uint64_t* calls) {
  std::vector<Lazy<std::vector<int64_t>>> lazies;
  lazies.reserve(kCalls);
  for (int i = 0; i < kCalls; ++i) lazies.push_back(one.Echo(i));
  for (const auto& lazy : lazies) Must(lazy.Get());
  for (int i = 0; i < 20; ++i) {
    Must(four.Touch(one.Make(kMiB, static_cast<float>(i))).Get());
    Must(four.Touch(one.Make(kElements, static_cast<float>(i))).Get());
    const auto tensor = one.Make(kElements, 1);
    Must(four.Touch(tensor.Take({3, 1, 2, 1}).Repeat(2)).Get());
    Must(four.EchoSlice(std::vector<int64_t>(64, i)).Get());
    Must(four.Touch(Put(Filled(kElements, 2))).Get());
  }
  *calls += kCalls + 20 * 9;
}

}  // namespace

void MeasureSoak(const Arguments& arguments, double seconds) {
  Session session = Begin(arguments, {Group("one", 1), Group("four", 4)});
  const auto one = NewWorker("one", 1);
  const auto four = NewWorker("four", 4);
  std::vector<int64_t> pids = Must(one.Pid().Get());
  for (int64_t pid : Must(four.Pid().Get())) pids.push_back(pid);
  pids.push_back(::getpid());
  const Clock::time_point begin = Clock::now();
  uint64_t calls = 0;
  for (double reported = 0; reported < seconds;) {
    const double until = std::min(reported + std::max(kReportSeconds, seconds / 100), seconds);
    do {
      Work(one, four, &calls);
    } while (SecondsSince(begin) < until);
    reported = SecondsSince(begin);
    double megabytes = 0;
    for (int64_t pid : pids) megabytes += PssMegabytes(pid);
    Report("soak_pss_mb", "MB", {megabytes},
           absl::StrFormat(",\"seconds\":%.1f,\"calls\":%d,\"program_mb\":%.2f", reported, calls,
                           PssMegabytes(::getpid())));
  }
  session.Finish().IgnoreError();
}

}  // namespace twinkle::benchmark

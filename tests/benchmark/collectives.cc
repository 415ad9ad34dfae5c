// What ranks pay that do something together inside a method. Measured there, by rank 0.
#include <twinkle/communicator.h>

#include "tests/benchmark/measure.h"
#include "tests/benchmark/metrics.h"

namespace twinkle::benchmark {

class Together {
 public:
  // Microseconds of each of so many sums of so many float32.
  absl::StatusOr<std::vector<double>> Sums(int samples, int64_t count) {
    Answer<Communicator> communicator = Context().Communicator();
    if (!communicator.ok()) return communicator.status();
    Answer<Tensor> tensor = Tensor::Empty(DType::kFloat32, {count});
    if (!tensor.ok()) return tensor.status();
    for (float& element : *tensor->mutable_data<float>()) element = 0;
    return Timed(samples, [&] { return communicator->AllReduce(&*tensor); });
  }
  absl::StatusOr<std::vector<double>> Barriers(int samples) {
    Answer<Communicator> communicator = Context().Communicator();
    if (!communicator.ok()) return communicator.status();
    return Timed(samples, [&] { return communicator->Barrier(); });
  }

 private:
  static absl::StatusOr<std::vector<double>> Timed(int samples, const std::function<absl::Status()>& operation) {
    std::vector<double> times;
    for (int i = 0; i < samples + samples / 10 + 1; ++i) {
      const Clock::time_point begin = Clock::now();
      if (absl::Status status = operation(); !status.ok()) return status;
      if (i > samples / 10) times.push_back(SecondsSince(begin) * 1e6);
    }
    return times;
  }
};
TWINKLE_REMOTE_CLASS(Together, (), (Sums, Collect::kFirst), (Barriers, Collect::kFirst))

void MeasureCollectives(const Arguments& arguments) {
  constexpr int64_t kLarge = int64_t{64} << 20;
  Session session = Begin(arguments, {Group("four", 4)});
  const auto four = Must(New<Together>({.remote_group = "four"}));
  Report("allreduce_4_us", "us", Must(four.Sums(arguments.samples(2000), 1024).Get()));
  Report("barrier_4_us", "us", Must(four.Barriers(arguments.samples(2000)).Get()));
  std::vector<double> rates;
  for (double us : Must(four.Sums(arguments.samples(20), kLarge / 4).Get())) {
    rates.push_back(static_cast<double>(kLarge) / us / 1e3);
  }
  Report("allreduce_4_64mib_gbs", "GB/s", rates);
  session.Finish().IgnoreError();
}

}  // namespace twinkle::benchmark

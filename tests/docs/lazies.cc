// What docs/lazies.md shows, in a program that compiles.
#include <twinkle/twinkle.h>

#include <cstdint>
#include <vector>

using twinkle::Collect, twinkle::Dispatch, twinkle::Execute, twinkle::MakeLazy;

struct Rollouts {
  std::vector<int64_t> prompts;
  std::vector<int64_t> answers;
};
struct Judged {
  twinkle::Tensor advantages;
};
struct Samples {
  std::vector<int64_t> answers;
  twinkle::Tensor advantages;
};

class Loader {
 public:
  std::vector<int64_t> Next(int64_t count);
};
TWINKLE_REMOTE_CLASS(Loader, (Execute::kFirst), (Next, Collect::kFirst))

class Sampler {
 public:
  Rollouts Generate(const std::vector<int64_t>& prompts);
};
TWINKLE_REMOTE_CLASS(Sampler, (), (Generate, Dispatch::kSliceDp, Collect::kFlattenDp))

class Judge {
 public:
  Judged Score(const std::vector<int64_t>& prompts, const std::vector<int64_t>& answers);
};
TWINKLE_REMOTE_CLASS(Judge, (), (Score, Dispatch::kSliceDp, Collect::kFlattenDp))

class Trainer {
 public:
  void Train(const Samples& samples);
};
TWINKLE_REMOTE_CLASS(Trainer, (), (Train, Dispatch::kSliceDp))

void Step(const twinkle::Remote<Loader>& loader, const twinkle::Remote<Sampler>& sampler,
          const twinkle::Remote<Judge>& judge, const twinkle::Remote<Trainer>& trainer,
          const std::vector<int64_t>& kept) {
  const auto rollouts = sampler.Generate(loader.Next(64).Repeat(8));
  const auto judged = judge.Score(rollouts.Field(&Rollouts::prompts), rollouts.Field(&Rollouts::answers));
  const auto samples = MakeLazy<Samples>(rollouts.Field(&Rollouts::answers), judged.Field(&Judged::advantages));
  trainer.Train(samples.Take(kept).Rows(0, 128));
}

#pragma once

#include <absl/status/statusor.h>
#include <twinkle/twinkle.h>

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "client/examples/char_lm/mlp.h"

// What runs remotely: ordinary classes, and under each the rules by which a group is called as if
// it were one object.
namespace char_lm {

using twinkle::Collect, twinkle::Dispatch, twinkle::Execute;

// Split over ranks member by member: a tensor by its first dimension, a list by its elements.
struct Batch {
  twinkle::Tensor contexts;  // uint8, one row of character ids for each target
  std::vector<uint8_t> targets;
};

// A sum and its count, not a mean: the mean of the sums over ranks divided by the mean of the
// counts is the loss of the whole batch, also where the ranks' shares differ in size, and also when
// one object in local mode had all of it.
struct Loss {
  double sum = 0;
  double examples = 0;

  double PerExample() const { return sum / examples; }
};

struct GradientSum {
  std::vector<double> values;
  double examples = 0;
};

struct LoaderOptions {
  int64_t context = 0;
  int64_t batch_size = 0;
  int64_t steps = 0;
  uint64_t seed = 0;
};

// Makes batches of both parts of the text, on one rank: the order is nobody else's business.
class Loader {
 public:
  // Both texts must be longer than the context, the held-out one by a row for each rank it is for.
  Loader(std::vector<uint8_t> training, std::vector<uint8_t> held_out, LoaderOptions options);

  // Rows from random places of the training text, `steps` times.
  absl::StatusOr<std::optional<Batch>> Next();

  // Every row of the held-out text once, in batches of at least `batch_size` where it has as many.
  absl::StatusOr<std::optional<Batch>> NextHeldOut();

 private:
  const std::vector<uint8_t> training_;
  const std::vector<uint8_t> held_out_;
  const LoaderOptions options_;
  std::mt19937_64 random_;
  int64_t step_ = 0;
  int64_t held_out_batch_ = 0;
};
TWINKLE_REMOTE_CLASS(Loader, (Execute::kFirst), (Next, Collect::kFirst), (NextHeldOut, Collect::kFirst))

// Own collect: the gradient of the whole batch, element by element. Added up in rank order, so that
// the same program gives the same bits in every run.
absl::StatusOr<std::vector<double>> AverageGradients(const std::vector<GradientSum>& all_results,
                                                     const twinkle::DeviceMesh* mesh);

// One replica of the network on each rank. All start from the same seed and apply the same
// gradients, so they stay equal without ever being compared.
class Model {
 public:
  Model(MlpShape shape, uint64_t seed);

  // Keeps the gradient of these rows for TakeGradient and returns their loss. Two calls instead of
  // one result with both: the program gets two numbers a step, and the gradient never visits it.
  absl::StatusOr<Loss> Backward(const Batch& batch);

  // The gradient of the last Backward; FailedPrecondition if it has been taken.
  absl::StatusOr<GradientSum> TakeGradient();

  // One step of Adam; returns how many there have been.
  absl::StatusOr<int64_t> Apply(const std::vector<double>& gradient, double learning_rate);

  std::vector<double> Parameters() const;

  // `length` characters that follow `prompt`, which is at least a context long.
  absl::StatusOr<std::vector<uint8_t>> Sample(const std::vector<uint8_t>& prompt, int64_t length, uint64_t seed) const;

 private:
  Mlp network_;
  Adam optimizer_;
  std::optional<GradientSum> gradient_;
};
TWINKLE_REMOTE_CLASS(Model, (Execute::kAll), (Backward, Dispatch::kSliceDp, Collect::kMean),
                     (TakeGradient, twinkle::CollectBy<&AverageGradients>), (Apply, Dispatch::kAll, Collect::kFirst),
                     (Parameters, Execute::kFirst, Collect::kFirst), (Sample, Execute::kFirst, Collect::kFirst))

// The same network in another group, which only ever reads text that was not trained on.
class Evaluator {
 public:
  explicit Evaluator(MlpShape shape);

  // Takes over the parameters of a model of the same shape; returns how many there are.
  absl::StatusOr<int64_t> Load(const std::vector<double>& parameters);

  // FailedPrecondition before the first Load.
  absl::StatusOr<Loss> Evaluate(const Batch& batch) const;

 private:
  Mlp network_;
  bool loaded_ = false;
};
TWINKLE_REMOTE_CLASS(Evaluator, (Execute::kAll), (Load, Dispatch::kAll, Collect::kFirst),
                     (Evaluate, Dispatch::kSliceDp, Collect::kMean))

}  // namespace char_lm

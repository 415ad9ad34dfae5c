#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace char_lm {

// Sizes of the network: the characters before (`context` of them) choose the next of `vocabulary`.
struct MlpShape {
  int64_t vocabulary = 0;
  int64_t context = 8;
  int64_t embedding = 24;
  int64_t hidden = 128;

  int64_t ParameterCount() const;
};

// Training rows in the caller's memory: `context` character ids for each target, row after row.
struct Rows {
  std::span<const uint8_t> contexts;
  std::span<const uint8_t> targets;
};

// The language model of Bengio et al. (2003): embeddings of the last characters, side by side, one
// tanh layer, softmax. Losses are in nats. Everything is a *sum* over rows, never a mean, so that
// the sums of any split of a batch add up to those of the whole batch.
//
// Ids must be below `vocabulary`; the caller checks. Not thread-safe while parameters() is written.
class Mlp {
 public:
  // The same shape and seed give the same parameters everywhere.
  Mlp(const MlpShape& shape, uint64_t seed);

  const MlpShape& shape() const { return shape_; }
  std::vector<double>& parameters() { return parameters_; }
  const std::vector<double>& parameters() const { return parameters_; }

  // The sum over rows of -log p(target | context).
  double LossSum(const Rows& rows) const;

  // The same, and `gradient` becomes the sum over rows of its derivatives by each parameter.
  double Backward(const Rows& rows, std::vector<double>& gradient) const;

  // The probability of each character after `context`; below 1, `temperature` sharpens it.
  std::vector<double> NextCharacter(std::span<const uint8_t> context, double temperature) const;

 private:
  MlpShape shape_;
  std::vector<double> parameters_;  // embedding, weights and bias 1, weights and bias 2
};

// Adam (Kingma and Ba, 2015) with its usual constants.
class Adam {
 public:
  explicit Adam(size_t parameter_count) : mean_(parameter_count), square_(parameter_count) {}

  // Moves `parameters` against `gradient`; both are as long as the constructor was told.
  void Step(const std::vector<double>& gradient, double learning_rate, std::vector<double>& parameters);

  int64_t steps() const { return steps_; }

 private:
  std::vector<double> mean_;
  std::vector<double> square_;
  int64_t steps_ = 0;
};

}  // namespace char_lm

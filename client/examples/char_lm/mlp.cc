// The only file that includes Eigen: it is compiled with optimisation in every build
// (CMakeLists.txt says why), which holds only while no other file instantiates the same templates
// without.
#include "client/examples/char_lm/mlp.h"

#include <Eigen/Core>
#include <cmath>
#include <random>
#include <type_traits>

namespace char_lm {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// The blocks of a flat parameter or gradient vector; Scalar is double or const double.
template <class Scalar>
struct Blocks {
  template <class Plain>
  using Map = Eigen::Map<std::conditional_t<std::is_const_v<Scalar>, const Plain, Plain>>;

  Blocks(const MlpShape& shape, Scalar* flat)
      : embedding(flat, shape.embedding, shape.vocabulary),
        weights1(embedding.data() + embedding.size(), shape.hidden, shape.context * shape.embedding),
        bias1(weights1.data() + weights1.size(), shape.hidden),
        weights2(bias1.data() + bias1.size(), shape.vocabulary, shape.hidden),
        bias2(weights2.data() + weights2.size(), shape.vocabulary) {}

  Map<MatrixXd> embedding;  // one column a character
  Map<MatrixXd> weights1;
  Map<VectorXd> bias1;
  Map<MatrixXd> weights2;
  Map<VectorXd> bias2;
};

// One column a row of the batch.
struct Activations {
  MatrixXd input;
  MatrixXd hidden;
  MatrixXd log_probabilities;
};

MatrixXd Embed(const MlpShape& shape, const Blocks<const double>& parameters, std::span<const uint8_t> contexts) {
  const Index rows = static_cast<Index>(contexts.size()) / shape.context;
  MatrixXd input(shape.context * shape.embedding, rows);
  for (Index row = 0; row < rows; ++row) {
    for (Index k = 0; k < shape.context; ++k) {
      input.col(row).segment(k * shape.embedding, shape.embedding) =
          parameters.embedding.col(contexts[row * shape.context + k]);
    }
  }
  return input;
}

// Subtracts the largest logit first: exp() of the rest cannot overflow.
void LogSoftmaxColumns(MatrixXd& logits) {
  for (Index row = 0; row < logits.cols(); ++row) {
    auto column = logits.col(row).array();
    column -= column.maxCoeff();
    column -= std::log(column.exp().sum());
  }
}

Activations Forward(const MlpShape& shape, const Blocks<const double>& parameters, std::span<const uint8_t> contexts) {
  Activations result;
  result.input = Embed(shape, parameters, contexts);
  result.hidden.noalias() = parameters.weights1 * result.input;
  result.hidden.colwise() += parameters.bias1;
  // tanh by way of exp, which Eigen vectorises for double and tanh it does not.
  result.hidden = 1.0 - 2.0 / ((2.0 * result.hidden.array()).exp() + 1.0);
  result.log_probabilities.noalias() = parameters.weights2 * result.hidden;
  result.log_probabilities.colwise() += parameters.bias2;
  LogSoftmaxColumns(result.log_probabilities);
  return result;
}

double LossOf(const MatrixXd& log_probabilities, std::span<const uint8_t> targets) {
  double loss = 0;
  for (Index row = 0; row < log_probabilities.cols(); ++row) {
    loss -= log_probabilities(targets[row], row);
  }
  return loss;
}

// Adds the derivative by each embedded character to the character's embedding.
void ScatterEmbedding(const MlpShape& shape, const MatrixXd& input_gradient, std::span<const uint8_t> contexts,
                      Blocks<double>& gradient) {
  for (Index row = 0; row < input_gradient.cols(); ++row) {
    for (Index k = 0; k < shape.context; ++k) {
      gradient.embedding.col(contexts[row * shape.context + k]) +=
          input_gradient.col(row).segment(k * shape.embedding, shape.embedding);
    }
  }
}

// Integers in, doubles out, both fully specified: unlike std::uniform_real_distribution, the same
// with every standard library.
void FillUniform(std::mt19937_64& random, double limit, double* begin, Index count) {
  for (Index i = 0; i < count; ++i) {
    begin[i] = limit * (2.0 * static_cast<double>(random() >> 11) * 0x1p-53 - 1.0);
  }
}

}  // namespace

int64_t MlpShape::ParameterCount() const {
  return embedding * vocabulary + hidden * (context * embedding + 1) + vocabulary * (hidden + 1);
}

Mlp::Mlp(const MlpShape& shape, uint64_t seed)
    : shape_(shape), parameters_(static_cast<size_t>(shape.ParameterCount())) {
  std::mt19937_64 random(seed);
  Blocks<double> blocks(shape_, parameters_.data());
  const auto inputs = static_cast<double>(blocks.weights1.cols());
  FillUniform(random, 1.0, blocks.embedding.data(), blocks.embedding.size());
  FillUniform(random, std::sqrt(3.0 / inputs), blocks.weights1.data(), blocks.weights1.size());
  // Small, so that training starts at the loss of a uniform guess.
  const auto hidden = static_cast<double>(shape_.hidden);
  FillUniform(random, 0.1 * std::sqrt(3.0 / hidden), blocks.weights2.data(), blocks.weights2.size());
}

double Mlp::LossSum(const Rows& rows) const {
  const Blocks<const double> parameters(shape_, parameters_.data());
  return LossOf(Forward(shape_, parameters, rows.contexts).log_probabilities, rows.targets);
}

double Mlp::Backward(const Rows& rows, std::vector<double>& gradient) const {
  const Blocks<const double> parameters(shape_, parameters_.data());
  const Activations forward = Forward(shape_, parameters, rows.contexts);
  gradient.assign(parameters_.size(), 0.0);
  Blocks<double> sums(shape_, gradient.data());

  MatrixXd logits = forward.log_probabilities.array().exp();
  for (Index row = 0; row < logits.cols(); ++row) logits(rows.targets[row], row) -= 1.0;
  sums.weights2.noalias() = logits * forward.hidden.transpose();
  sums.bias2 = logits.rowwise().sum();

  MatrixXd hidden = parameters.weights2.transpose() * logits;
  hidden.array() *= 1.0 - forward.hidden.array().square();
  sums.weights1.noalias() = hidden * forward.input.transpose();
  sums.bias1 = hidden.rowwise().sum();

  const MatrixXd input = parameters.weights1.transpose() * hidden;
  ScatterEmbedding(shape_, input, rows.contexts, sums);
  return LossOf(forward.log_probabilities, rows.targets);
}

std::vector<double> Mlp::NextCharacter(std::span<const uint8_t> context, double temperature) const {
  const Blocks<const double> parameters(shape_, parameters_.data());
  MatrixXd scores = Forward(shape_, parameters, context).log_probabilities / temperature;
  LogSoftmaxColumns(scores);
  const VectorXd probabilities = scores.col(0).array().exp();
  return {probabilities.begin(), probabilities.end()};
}

void Adam::Step(const std::vector<double>& gradient, double learning_rate, std::vector<double>& parameters) {
  constexpr double kMeanDecay = 0.9, kSquareDecay = 0.999, kEpsilon = 1e-8;
  ++steps_;
  const auto steps = static_cast<double>(steps_);
  const double mean_scale = learning_rate / (1.0 - std::pow(kMeanDecay, steps));
  const double square_scale = 1.0 / (1.0 - std::pow(kSquareDecay, steps));
  for (size_t i = 0; i < parameters.size(); ++i) {
    mean_[i] += (1.0 - kMeanDecay) * (gradient[i] - mean_[i]);
    square_[i] += (1.0 - kSquareDecay) * (gradient[i] * gradient[i] - square_[i]);
    parameters[i] -= mean_scale * mean_[i] / (std::sqrt(square_scale * square_[i]) + kEpsilon);
  }
}

}  // namespace char_lm

#include "client/examples/char_lm/remote.h"

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <span>
#include <utility>

namespace char_lm {
namespace {

// One row for each of `starts`: the `context` characters from there, and the one after them.
absl::StatusOr<std::optional<Batch>> MakeBatch(const std::vector<uint8_t>& text, const std::vector<size_t>& starts,
                                               int64_t context) {
  Batch batch;
  std::vector<uint8_t> contexts;
  contexts.reserve(starts.size() * static_cast<size_t>(context));
  for (const size_t start : starts) {
    const auto row = text.begin() + static_cast<std::ptrdiff_t>(start);
    contexts.insert(contexts.end(), row, row + context);
    batch.targets.push_back(*(row + context));
  }
  const auto rows = static_cast<int64_t>(starts.size());
  absl::StatusOr<twinkle::Tensor> tensor = twinkle::Tensor::FromVector<uint8_t>(std::move(contexts), {rows, context});
  if (!tensor.ok()) return tensor.status();
  batch.contexts = *std::move(tensor);
  return batch;
}

absl::Status CheckIds(std::span<const uint8_t> ids, int64_t vocabulary) {
  const auto unknown = std::find_if(ids.begin(), ids.end(), [=](uint8_t id) { return id >= vocabulary; });
  if (unknown == ids.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("character ", *unknown, " in a vocabulary of ", vocabulary));
}

// A view of the batch, checked: the network indexes with what is in it.
absl::StatusOr<Rows> RowsOf(const Batch& batch, const MlpShape& shape) {
  const absl::StatusOr<std::span<const uint8_t>> contexts = batch.contexts.data<uint8_t>();
  if (!contexts.ok()) return contexts.status();
  if (contexts->size() != batch.targets.size() * static_cast<size_t>(shape.context)) {
    return absl::InvalidArgumentError(
        absl::StrCat(batch.targets.size(), " targets of ", contexts->size(), " context characters"));
  }
  absl::Status status = CheckIds(*contexts, shape.vocabulary);
  status.Update(CheckIds(batch.targets, shape.vocabulary));
  if (!status.ok()) return status;
  return Rows{*contexts, batch.targets};
}

absl::Status CheckLength(const std::vector<double>& values, const Mlp& network) {
  if (values.size() == network.parameters().size()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(values.size(), " values for a network with ", network.parameters().size(), " parameters"));
}

// Our own, because what std::discrete_distribution draws depends on the standard library.
uint8_t Draw(const std::vector<double>& probabilities, std::mt19937_64& random) {
  double left = static_cast<double>(random() >> 11) * 0x1p-53;
  size_t id = 0;
  while (id + 1 < probabilities.size() && (left -= probabilities[id]) >= 0) ++id;
  return static_cast<uint8_t>(id);
}

}  // namespace

Loader::Loader(std::vector<uint8_t> training, std::vector<uint8_t> held_out, LoaderOptions options)
    : training_(std::move(training)), held_out_(std::move(held_out)), options_(options), random_(options.seed) {}

absl::StatusOr<std::optional<Batch>> Loader::Next() {
  if (step_ == options_.steps) return std::nullopt;
  ++step_;
  const size_t places = training_.size() - static_cast<size_t>(options_.context);
  std::vector<size_t> starts(static_cast<size_t>(options_.batch_size));
  for (size_t& start : starts) start = random_() % places;
  return MakeBatch(training_, starts, options_.context);
}

absl::StatusOr<std::optional<Batch>> Loader::NextHeldOut() {
  // The rows that are left over go to all batches: a small last one might not do for every rank.
  const int64_t rows = static_cast<int64_t>(held_out_.size()) - options_.context;
  const int64_t batches = std::max<int64_t>(1, rows / options_.batch_size);
  if (held_out_batch_ == batches) return std::nullopt;
  const int64_t begin = rows * held_out_batch_ / batches;
  const int64_t end = rows * ++held_out_batch_ / batches;
  std::vector<size_t> starts;
  for (int64_t row = begin; row < end; ++row) starts.push_back(static_cast<size_t>(row));
  return MakeBatch(held_out_, starts, options_.context);
}

absl::StatusOr<std::vector<double>> AverageGradients(const std::vector<GradientSum>& all_results,
                                                     const twinkle::DeviceMesh* /*mesh*/) {
  std::vector<double> average(all_results.front().values.size());
  double examples = 0;
  for (const GradientSum& result : all_results) {
    if (result.values.size() != average.size()) {
      return absl::InvalidArgumentError("gradients of different lengths");
    }
    for (size_t i = 0; i < average.size(); ++i) average[i] += result.values[i];
    examples += result.examples;
  }
  for (double& value : average) value /= examples;
  return average;
}

Model::Model(MlpShape shape, uint64_t seed) : network_(shape, seed), optimizer_(network_.parameters().size()) {}

absl::StatusOr<Loss> Model::Backward(const Batch& batch) {
  const absl::StatusOr<Rows> rows = RowsOf(batch, network_.shape());
  if (!rows.ok()) return rows.status();
  const auto examples = static_cast<double>(rows->targets.size());
  gradient_.emplace(GradientSum{.values = {}, .examples = examples});
  const double sum = network_.Backward(*rows, gradient_->values);
  return Loss{.sum = sum, .examples = examples};
}

absl::StatusOr<GradientSum> Model::TakeGradient() {
  if (!gradient_.has_value()) {
    return absl::FailedPreconditionError("there is no gradient: call Backward first");
  }
  return *std::exchange(gradient_, std::nullopt);
}

absl::StatusOr<int64_t> Model::Apply(const std::vector<double>& gradient, double learning_rate) {
  absl::Status status = CheckLength(gradient, network_);
  if (!status.ok()) return status;
  optimizer_.Step(gradient, learning_rate, network_.parameters());
  return optimizer_.steps();
}

std::vector<double> Model::Parameters() const { return network_.parameters(); }

absl::StatusOr<std::vector<uint8_t>> Model::Sample(const std::vector<uint8_t>& prompt, int64_t length,
                                                   uint64_t seed) const {
  constexpr double kTemperature = 0.7;
  const auto context = static_cast<size_t>(network_.shape().context);
  absl::Status status = CheckIds(prompt, network_.shape().vocabulary);
  if (!status.ok()) return status;
  if (prompt.size() < context) {
    return absl::InvalidArgumentError(absl::StrCat("a prompt of at least ", context, " is needed"));
  }
  std::mt19937_64 random(seed);
  std::vector<uint8_t> text = prompt;
  for (int64_t i = 0; i < length; ++i) {
    const auto last = std::span<const uint8_t>(text).last(context);
    text.push_back(Draw(network_.NextCharacter(last, kTemperature), random));
  }
  text.erase(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(prompt.size()));
  return text;
}

// The seed is of no account: Load comes before anything else.
Evaluator::Evaluator(MlpShape shape) : network_(shape, 0) {}

absl::StatusOr<int64_t> Evaluator::Load(const std::vector<double>& parameters) {
  absl::Status status = CheckLength(parameters, network_);
  if (!status.ok()) return status;
  network_.parameters() = parameters;
  loaded_ = true;
  return static_cast<int64_t>(parameters.size());
}

absl::StatusOr<Loss> Evaluator::Evaluate(const Batch& batch) const {
  if (!loaded_) return absl::FailedPreconditionError("no parameters: call Load first");
  const absl::StatusOr<Rows> rows = RowsOf(batch, network_.shape());
  if (!rows.ok()) return rows.status();
  return Loss{.sum = network_.LossSum(*rows), .examples = static_cast<double>(rows->targets.size())};
}

}  // namespace char_lm

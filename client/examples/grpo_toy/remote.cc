#include "client/examples/grpo_toy/remote.h"

#include <algorithm>
#include <cmath>

namespace grpo_toy {

using twinkle::DType, twinkle::Tensor;

// ---- the policy
Policy::Policy()
    : table_(static_cast<size_t>(kPrompts * kFeatures)),
      weights_(*Tensor::Zeros(DType::kFloat32, {kFeatures, kAnswers})),
      random_(100 + static_cast<uint64_t>(twinkle::Context().rank())) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal(0, 1 / std::sqrt(static_cast<float>(kFeatures)));
  for (float& feature : table_) feature = normal(random);
}

std::vector<double> Policy::Probabilities(const float* features) const {
  const float* const weights = weights_.data<float>()->data();
  std::vector<double> logits(kAnswers, 0);
  for (int64_t i = 0; i < kFeatures; ++i) {
    for (int64_t k = 0; k < kAnswers; ++k) {
      logits[static_cast<size_t>(k)] +=
          static_cast<double>(features[i]) * static_cast<double>(weights[i * kAnswers + k]);
    }
  }
  const double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (double& logit : logits) sum += logit = std::exp(logit - highest);
  for (double& logit : logits) logit /= sum;
  return logits;
}

Rollouts Policy::Generate(const std::vector<int64_t>& prompts) {
  const int64_t count = static_cast<int64_t>(prompts.size());
  Rollouts rollouts{prompts, {}, *Tensor::Empty(DType::kFloat32, {count, kFeatures})};
  float* features = rollouts.features.mutable_data<float>()->data();
  for (int64_t prompt : prompts) {
    const float* const row = table_.data() + prompt * kFeatures;
    std::copy(row, row + kFeatures, features);
    const std::vector<double> odds = Probabilities(row);
    rollouts.answers.push_back(std::discrete_distribution<int64_t>(odds.begin(), odds.end())(random_));
    features += kFeatures;
  }
  return rollouts;
}

Tensor Policy::Gradient(const Samples& samples) {
  Tensor gradient = *Tensor::Zeros(DType::kFloat32, {kFeatures, kAnswers});
  float* const sum = gradient.mutable_data<float>()->data();
  const float* const features = samples.features.data<float>()->data();
  const float* const advantages = samples.advantages.data<float>()->data();
  bytes_read_ += samples.features.bytes() + samples.advantages.bytes();
  const int64_t rows = static_cast<int64_t>(samples.answers.size());
  for (int64_t row = 0; row < rows; ++row) {
    const float* const seen = features + row * kFeatures;
    std::vector<double> direction = Probabilities(seen);
    for (double& part : direction) part = -part;
    direction[static_cast<size_t>(samples.answers[static_cast<size_t>(row)])] += 1;
    for (int64_t i = 0; i < kFeatures; ++i) {
      for (int64_t k = 0; k < kAnswers; ++k) {
        sum[i * kAnswers + k] += static_cast<float>(direction[static_cast<size_t>(k)]) * seen[i] * advantages[row] /
                                 static_cast<float>(rows);
      }
    }
  }
  return gradient;
}

void Policy::Apply(const std::vector<Tensor>& gradients, double rate) {
  float* const weights = weights_.mutable_data<float>()->data();
  for (const Tensor& gradient : gradients) {
    const float* const step = gradient.data<float>()->data();
    bytes_read_ += gradient.bytes();
    const float share = static_cast<float>(rate) / static_cast<float>(gradients.size());
    for (int64_t i = 0; i < gradient.size(); ++i) weights[i] += share * step[i];
  }
}

void Policy::Load(const Tensor& weights) {
  bytes_read_ += weights.bytes();
  weights_ = weights;
}

// ---- prompts and rewards
std::vector<int64_t> Loader::Next(int64_t count) {
  std::vector<int64_t> prompts(static_cast<size_t>(count));
  for (int64_t& prompt : prompts) prompt = static_cast<int64_t>(random_() % kPrompts);
  return prompts;
}

Judged Judge::Score(const std::vector<int64_t>& prompts, const std::vector<int64_t>& answers, int64_t of_prompt) {
  std::vector<float> rewards;
  for (size_t i = 0; i < prompts.size(); ++i) {
    rewards.push_back((prompts[i] / 10 + prompts[i] % 10) % 10 == answers[i] ? 1.0F : 0.0F);
  }
  std::vector<float> advantages;
  for (size_t begin = 0; begin < rewards.size(); begin += static_cast<size_t>(of_prompt)) {
    const size_t end = std::min(rewards.size(), begin + static_cast<size_t>(of_prompt));
    const float count = static_cast<float>(end - begin);
    float mean = 0;
    for (size_t i = begin; i < end; ++i) mean += rewards[i] / count;
    const float deviation = std::sqrt(mean * (1 - mean));  // of zeros and ones
    for (size_t i = begin; i < end; ++i) {
      advantages.push_back(deviation == 0 ? 0 : (rewards[i] - mean) / deviation);
    }
  }
  return {*Tensor::FromVector<float>(std::move(rewards)), *Tensor::FromVector<float>(std::move(advantages))};
}

double Judge::Mean(const Tensor& rewards) {
  double sum = 0;
  const auto all = *rewards.data<float>();
  for (float reward : all) sum += static_cast<double>(reward);
  return sum / static_cast<double>(all.size());
}

}  // namespace grpo_toy

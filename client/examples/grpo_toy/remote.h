// The remote classes of a GRPO-shaped loop on a task small enough to watch: which digit is (a + b) mod 10?
#pragma once

#include <twinkle/twinkle.h>

#include <cstdint>
#include <random>
#include <vector>

namespace grpo_toy {

inline constexpr int64_t kPrompts = 100;   // a and b from 0 to 9: prompt 10 a + b
inline constexpr int64_t kAnswers = 10;    // digits
inline constexpr int64_t kFeatures = 512;  // of a prompt

// What samplers make of prompts, a row for each rollout.
struct Rollouts {
  std::vector<int64_t> prompts;
  std::vector<int64_t> answers;
  twinkle::Tensor features;  // rollouts x kFeatures: what the policy saw, and the trainer needs
};
// What a trainer learns from.
struct Samples {
  std::vector<int64_t> answers;
  twinkle::Tensor features;
  twinkle::Tensor advantages;  // one for each row
};
struct Judged {
  twinkle::Tensor rewards;     // 1 for the right digit
  twinkle::Tensor advantages;  // against the other rollouts of the same prompt
};

// A linear softmax policy over fixed random features: weights are kFeatures x kAnswers.
class Policy {
 public:
  Policy();
  // One answer for each prompt, drawn from the policy.
  Rollouts Generate(const std::vector<int64_t>& prompts);
  // Of the mean of advantage times log-probability, over this rank's rows.
  twinkle::Tensor Gradient(const Samples& samples);
  // Steps along the mean of the ranks' gradients.
  void Apply(const std::vector<twinkle::Tensor>& gradients, double rate);
  twinkle::Tensor Weights() const { return weights_; }
  void Load(const twinkle::Tensor& weights);
  // Bytes of tensors that this rank was given.
  int64_t BytesRead() const { return bytes_read_; }

 private:
  std::vector<double> Probabilities(const float* features) const;

  std::vector<float> table_;  // features of each prompt, the same on every rank
  twinkle::Tensor weights_;
  std::mt19937_64 random_;
  int64_t bytes_read_ = 0;
};
TWINKLE_REMOTE_CLASS(Policy, (), (Generate, twinkle::Dispatch::kSliceDp, twinkle::Collect::kFlattenDp),
                     (Gradient, twinkle::Dispatch::kSliceDp), (Apply, twinkle::Dispatch::kAll),
                     (Weights, twinkle::Collect::kFirst), (Load, twinkle::Dispatch::kAll),
                     (BytesRead, twinkle::Collect::kSum))

// Draws prompts.
class Loader {
 public:
  std::vector<int64_t> Next(int64_t count);

 private:
  std::mt19937_64 random_{7};
};
TWINKLE_REMOTE_CLASS(Loader, (twinkle::Execute::kFirst), (Next, twinkle::Collect::kFirst))

class Judge {
 public:
  // `of_prompt` rows after each other are of one prompt, and on one rank.
  Judged Score(const std::vector<int64_t>& prompts, const std::vector<int64_t>& answers, int64_t of_prompt);
  double Mean(const twinkle::Tensor& rewards);
};
TWINKLE_REMOTE_CLASS(Judge, (), (Score, twinkle::Dispatch::kSliceDp, twinkle::Collect::kFlattenDp),
                     (Mean, twinkle::Dispatch::kSliceDp, twinkle::Collect::kMean))

}  // namespace grpo_toy

#pragma once

#include <absl/status/status.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace char_lm {

// What a run found out. Losses are in nats for each character, one a step.
struct Report {
  std::vector<double> losses;
  double perplexity = 0;         // of the held-out text
  double bigram_perplexity = 0;  // of the same text
};

// The mean of the steps around each, since single batches are noisy: 25 on either side where there
// are as many, fewer at the start, where the loss falls too fast for a mean of unlike neighbours.
std::vector<double> Smoothed(const std::vector<double>& losses);

// The state of the training on stderr: on a terminal one line that is rewritten, elsewhere (a log)
// about ten lines in all. Belongs to one thread.
class Progress {
 public:
  explicit Progress(int64_t steps);
  ~Progress();  // leaves the terminal's cursor on a fresh line

  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Call it after every step.
  void Step(double loss);

 private:
  using Clock = std::chrono::steady_clock;

  bool DueOnTerminal(Clock::time_point now);
  bool DueInLog() const;
  std::string State(double seconds) const;

  const int64_t steps_;
  const bool terminal_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_;
  int64_t done_ = 0;
  double loss_ = 0;
};

// The keys losses, perplexity and bigram_perplexity, every digit of them: two runs can be compared.
absl::Status WriteJson(const Report& report, const std::string& path);

// The loss curve, smoothed over the steps' own points, and what it is up against.
absl::Status WriteSvg(const Report& report, const std::string& path);

}  // namespace char_lm

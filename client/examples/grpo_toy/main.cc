// Group relative policy optimisation in the shape that large models are trained in: prompts are repeated, answered by
// samplers, judged by others, and what is worth learning from is filtered, shuffled, cut into minibatches and given to
// trainers, whose weights go back to the samplers. All of it are plans over references: the program sees the
// advantages, four bytes a rollout, and never a rollout.
#include <absl/status/status.h>
#include <absl/strings/str_format.h>
#include <twinkle/twinkle.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <random>

#include "client/examples/grpo_toy/remote.h"

namespace grpo_toy {
namespace {

using twinkle::Lazy, twinkle::MakeLazy, twinkle::Remote;

struct Options {
  std::string mode = "cluster";
  int64_t steps = 120;
  int64_t prompts = 64;
  int64_t repeat = 8;
  int64_t minibatches = 2;
  double rate = 10;
};

struct Loop {
  Options options;
  Remote<Loader> loader;
  Remote<Policy> sampler;
  Remote<Judge> judge;
  Remote<Policy> trainer;
  std::mt19937_64 random{3};
  int64_t bytes_here = 0;  // that came to this program, or went from it

  // The mean reward.
  absl::StatusOr<double> Step();
};

absl::StatusOr<double> Loop::Step() {
  const Lazy<std::vector<int64_t>> prompts = loader.Next(options.prompts).Repeat(options.repeat);
  const Lazy<Rollouts> rollouts = sampler.Generate(prompts);
  const Lazy<Judged> judged =
      judge.Score(rollouts.Field(&Rollouts::prompts), rollouts.Field(&Rollouts::answers), options.repeat);
  const Lazy<Samples> samples = MakeLazy<Samples>(
      rollouts.Field(&Rollouts::answers), rollouts.Field(&Rollouts::features), judged.Field(&Judged::advantages));

  // Prompts that were always, or never, answered well teach nothing.
  const absl::StatusOr<twinkle::Tensor> seen = judged.Field(&Judged::advantages).Get();
  if (!seen.ok()) return seen.status();
  bytes_here += seen->bytes();
  const auto advantages = *seen->data<float>();
  std::vector<int64_t> kept;
  for (size_t i = 0; i < advantages.size(); ++i) {
    if (advantages[i] != 0) kept.push_back(static_cast<int64_t>(i));
  }
  std::shuffle(kept.begin(), kept.end(), random);

  const Lazy<Samples> shuffled = samples.Take(kept);
  const int64_t rows = static_cast<int64_t>(kept.size());
  for (int64_t i = 0; i < options.minibatches; ++i) {
    const int64_t begin = rows * i / options.minibatches;
    const int64_t end = rows * (i + 1) / options.minibatches;
    if (end - begin < trainer.component().world_size()) continue;  // a row for each rank
    if (absl::Status done = trainer.Apply(trainer.Gradient(shuffled.Rows(begin, end)), options.rate).Get();
        !done.ok()) {
      return done;
    }
  }
  if (absl::Status loaded = sampler.Load(trainer.Weights()).Get(); !loaded.ok()) return loaded;

  return judge.Mean(judged.Field(&Judged::rewards)).Get();
}

absl::Status Run(int argc, char** argv, const Options& options) {
  const auto cpu = [](const char* name, int ranks) {
    return twinkle::DeviceGroup{.name = name, .ranks = ranks, .device_type = "cpu"};
  };
  auto session = twinkle::Initialize(argc, argv,
                                     {.mode = options.mode == "local"        ? twinkle::Mode::kLocal
                                              : options.mode == "in_process" ? twinkle::Mode::kInProcess
                                                                             : twinkle::Mode::kCluster,
                                      .groups = {cpu("sampler", 2), cpu("judge", 2), cpu("trainer", 2)},
                                      .device_mesh = twinkle::DeviceMesh::FromSizes({.dp = 2}).value()});
  if (!session.ok()) return session.status();
  const auto loader = twinkle::New<Loader>({.remote_group = "judge"});
  const auto sampler = twinkle::New<Policy>({.remote_group = "sampler"});
  const auto judge = twinkle::New<Judge>({.remote_group = "judge"});
  const auto trainer = twinkle::New<Policy>({.remote_group = "trainer"});
  for (const absl::Status& made : {loader.status(), sampler.status(), judge.status(), trainer.status()}) {
    if (!made.ok()) return made;
  }

  Loop loop{options, *loader, *sampler, *judge, *trainer};
  double last = 0;
  for (int64_t step = 1; step <= options.steps; ++step) {
    const absl::StatusOr<double> reward = loop.Step();
    if (!reward.ok()) return reward.status();
    last = *reward;
    if (step == 1 || step % std::max<int64_t>(options.steps / 12, 1) == 0) {
      std::cout << absl::StrFormat("step %3d  mean reward %.3f  %s\n", step, last,
                                   std::string(static_cast<size_t>(50 * last), '#'));
    }
  }
  int64_t read = 0;
  for (const Remote<Policy>& policy : {loop.sampler, loop.trainer}) {
    const auto bytes = policy.BytesRead().Get();
    if (!bytes.ok()) return bytes.status();
    read += *bytes;
  }
  std::cout << absl::StrFormat("\nright answers: %.0f %% at last, 10 %% by chance\n", 100 * last);
  std::cout << absl::StrFormat(
      "%.1f MB went from rank to rank; %.2f MB came to this program (%.2f %%)\n", static_cast<double>(read) / 1e6,
      static_cast<double>(loop.bytes_here) / 1e6,
      100 * static_cast<double>(loop.bytes_here) / static_cast<double>(std::max<int64_t>(read, 1)));
  return session->Finish();
}

}  // namespace
}  // namespace grpo_toy

int main(int argc, char** argv) {
  grpo_toy::Options options;
  CLI::App app(
      "Learns to add digits, from rewards alone: a loop over lazies that moves no rollout through the program.");
  app.add_option("--mode", options.mode, "Where the ranks run: local, in_process or cluster (each in a process)")
      ->check(CLI::IsMember({"local", "in_process", "cluster"}))
      ->capture_default_str();
  app.add_option("--steps", options.steps, "Rounds of generating, judging and training")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--prompts", options.prompts, "Prompts a step; an even number")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--repeat", options.repeat, "Rollouts a prompt")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--minibatches", options.minibatches, "Into which a step's rollouts are cut")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rate", options.rate, "Of learning")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = grpo_toy::Run(argc, argv, options);
  if (!status.ok()) std::cerr << "grpo_toy: " << status << '\n';
  return status.ok() ? 0 : 1;
}

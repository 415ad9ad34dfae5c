// A character language model, trained with data parallelism: four ranks of a group each take a
// quarter of every batch, average their gradients and apply them; a second group measures the
// result on text that was held out. The program itself only says what happens: batches, gradients
// and parameters go from rank to rank without passing through it.
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/str_format.h>
#include <twinkle/twinkle.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "client/examples/char_lm/mlp.h"
#include "client/examples/char_lm/remote.h"
#include "client/examples/char_lm/report.h"
#include "client/examples/char_lm/text.h"

namespace char_lm {
namespace {

constexpr int kModelRanks = 4;
constexpr int kEvaluatorRanks = 2;
constexpr int64_t kBatchSize = 256;

struct Options {
  std::string mode = "in_process";
  std::string driver;
  std::string file;
  int64_t steps = 2000;
  uint64_t seed = 1;
  std::string svg = "char_lm_loss.svg";
  std::string json;
};

// No check looks at a file: a worker process, maybe elsewhere, parses the same command line.
void AddOptions(CLI::App& app, Options& options) {
  app.add_option("--mode", options.mode,
                 "Where the ranks run: local (one object in this process stands for all), "
                 "in_process (each on a thread of its own) or cluster (each in a process)")
      ->check(CLI::IsMember({"local", "in_process", "cluster"}))
      ->capture_default_str();
  app.add_option("--driver", options.driver,
                 "With --mode cluster: address of the driver. Without, $TWINKLE_DRIVER; without "
                 "that, a private cluster on this machine");
  app.add_option("--file", options.file,
                 "Text to learn; its last tenth is held out. Without, the licences in "
                 "/usr/share/common-licenses");
  app.add_option("--steps", options.steps, "Training steps of 256 characters each")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the batches, the first parameters and the sample")->capture_default_str();
  app.add_option("--svg", options.svg, "Where to draw the loss curve; \"\" for nowhere")->capture_default_str();
  app.add_option("--json", options.json, "Where to write losses, perplexity and bigram_perplexity; without, nowhere");
}

twinkle::Mode ModeOf(const std::string& name) {
  if (name == "local") return twinkle::Mode::kLocal;
  return name == "cluster" ? twinkle::Mode::kCluster : twinkle::Mode::kInProcess;
}

struct Components {
  twinkle::Remote<Loader> loader;
  twinkle::Remote<Model> model;
  twinkle::Remote<Evaluator> evaluator;
};

// Nothing waits for a constructor here: one that fails fails the first call that needs its object.
absl::StatusOr<Components> MakeComponents(const Corpus& corpus, const MlpShape& shape, const Options& options) {
  const auto model_mesh = twinkle::DeviceMesh::FromSizes({.dp = kModelRanks});
  const auto evaluator_mesh = twinkle::DeviceMesh::FromSizes({.dp = kEvaluatorRanks});
  if (!model_mesh.ok()) return model_mesh.status();
  if (!evaluator_mesh.ok()) return evaluator_mesh.status();

  const LoaderOptions loader_options{
      .context = shape.context, .batch_size = kBatchSize, .steps = options.steps, .seed = options.seed};
  const auto loader = twinkle::New<Loader>({.remote_group = "data"}, corpus.training, corpus.held_out, loader_options);
  const auto model = twinkle::New<Model>({.remote_group = "model", .device_mesh = *model_mesh}, shape, options.seed);
  const auto evaluator = twinkle::New<Evaluator>({.remote_group = "evaluator", .device_mesh = *evaluator_mesh}, shape);
  if (!loader.ok()) return loader.status();
  if (!model.ok()) return model.status();
  if (!evaluator.ok()) return evaluator.status();
  return Components{*loader, *model, *evaluator};
}

// Half a cosine, down to a thirtieth.
double LearningRate(int64_t step, int64_t steps) {
  constexpr double kFirst = 8e-3, kLast = 2.5e-4;
  const double share = static_cast<double>(step) / static_cast<double>(steps);
  return kLast + (kFirst - kLast) * 0.5 * (1 + std::cos(std::numbers::pi * share));
}

// The loss of every step. What is lazy stays where it is: of the batch each rank gets its rows
// from the loader, of the gradients the program only ever has the name.
absl::StatusOr<std::vector<double>> Train(const Components& components, int64_t steps) {
  const twinkle::Remote<Model>& model = components.model;
  std::vector<double> losses;
  Progress progress(steps);
  for (const auto& batch : components.loader.Next.Each()) {
    const double learning_rate = LearningRate(static_cast<int64_t>(losses.size()), steps);
    const twinkle::Lazy<Loss> loss = model.Backward(batch);
    model.Apply(model.TakeGradient(), learning_rate);
    // Asked for last: while the loss is on its way the ranks are already applying the gradient.
    if (!loss.Get().ok()) return loss.Get().status();
    losses.push_back(loss.Get()->PerExample());
    progress.Step(losses.back());
  }
  return losses;
}

// Every call is made before any result is looked at, so that no rank waits for the program.
absl::StatusOr<double> HeldOutPerplexity(const Components& components) {
  const auto loaded = components.evaluator.Load(components.model.Parameters());
  std::vector<twinkle::Lazy<Loss>> losses;
  for (const auto& batch : components.loader.NextHeldOut.Each()) {
    losses.push_back(components.evaluator.Evaluate(batch));
  }
  if (!loaded.Get().ok()) return loaded.Get().status();
  Loss total;
  for (const twinkle::Lazy<Loss>& lazy : losses) {
    const absl::StatusOr<Loss>& loss = lazy.Get();
    if (!loss.ok()) return loss.status();
    total.sum += loss->sum;
    total.examples += loss->examples;
  }
  return std::exp(total.PerExample());
}

absl::Status PrintSample(const Components& components, const Corpus& corpus, uint64_t seed) {
  constexpr int64_t kPromptLength = 40, kSampleLength = 400;
  const std::vector<uint8_t> prompt(corpus.held_out.begin(), corpus.held_out.begin() + kPromptLength);
  const auto sample = components.model.Sample(prompt, kSampleLength, seed);
  if (!sample.Get().ok()) return sample.Get().status();
  std::cout << "\nThe held-out text begins\n---\n"
            << corpus.vocabulary.Decode(prompt) << "\n---\nand the model continues\n---\n"
            << corpus.vocabulary.Decode(*sample.Get()) << "\n---\n";
  return absl::OkStatus();
}

void PrintCorpus(const Corpus& corpus, const MlpShape& shape) {
  std::cout << absl::StreamFormat("text: %d characters to learn, %d held out, %d distinct\nmodel: %d parameters\n",
                                  corpus.training.size(), corpus.held_out.size(), corpus.vocabulary.size(),
                                  shape.ParameterCount());
}

absl::Status PrintAndWrite(const Report& report, const Options& options) {
  std::cout << absl::StreamFormat(
      "\nloss %.3f at first, %.3f at last; on held-out text perplexity %.2f (bigram %.2f)\n", report.losses.front(),
      Smoothed(report.losses).back(), report.perplexity, report.bigram_perplexity);
  absl::Status status;
  if (!options.svg.empty()) {
    status.Update(WriteSvg(report, options.svg));
    if (status.ok()) std::cout << "loss curve: " << options.svg << '\n';
  }
  if (!options.json.empty()) status.Update(WriteJson(report, options.json));
  return status;
}

absl::Status Run(const Options& options) {
  const absl::StatusOr<Corpus> corpus = LoadCorpus(options.file);
  if (!corpus.ok()) return corpus.status();
  const MlpShape shape{.vocabulary = corpus->vocabulary.size()};
  PrintCorpus(*corpus, shape);

  const absl::StatusOr<Components> components = MakeComponents(*corpus, shape, options);
  if (!components.ok()) return components.status();
  absl::StatusOr<std::vector<double>> losses = Train(*components, options.steps);
  if (!losses.ok()) return losses.status();
  const absl::StatusOr<double> perplexity = HeldOutPerplexity(*components);
  if (!perplexity.ok()) return perplexity.status();
  absl::Status status = PrintSample(*components, *corpus, options.seed);
  status.Update(PrintAndWrite({.losses = *std::move(losses),
                               .perplexity = *perplexity,
                               .bigram_perplexity = BigramPerplexity(*corpus, shape.context)},
                              options));
  return status;
}

absl::StatusOr<twinkle::Session> Start(int argc, char** argv, const Options& options) {
  return twinkle::Initialize(argc, argv,
                             {.mode = ModeOf(options.mode),
                              .driver = options.driver,
                              .groups = {{.name = "data", .ranks = 1, .device_type = "cpu"},
                                         {.name = "model", .ranks = kModelRanks, .device_type = "cpu"},
                                         {.name = "evaluator", .ranks = kEvaluatorRanks, .device_type = "cpu"}}});
}

int Fail(const absl::Status& status) {
  std::cerr << "char_lm: " << status << '\n';
  return 1;
}

}  // namespace
}  // namespace char_lm

// A worker process is this program again, up to Initialize: till then only options are read.
int main(int argc, char** argv) {
  char_lm::Options options;
  CLI::App app("Trains a character language model on four ranks and measures it on two others.");
  char_lm::AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);

  absl::StatusOr<twinkle::Session> session = char_lm::Start(argc, argv, options);
  if (!session.ok()) return char_lm::Fail(session.status());
  std::cout << twinkle::DevicePlacement();
  absl::Status status = char_lm::Run(options);
  if (status.ok()) status = session->Finish();
  return status.ok() ? 0 : char_lm::Fail(status);
}

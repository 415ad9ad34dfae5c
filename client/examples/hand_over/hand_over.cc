// Two groups of different sizes, one feeding the other: three samplers write rollouts, two scorers
// read them. The program passes on a reference; each scorer gets the rows that are its share
// from the samplers that made them.
//
//   example_hand_over [local | in_process]
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>
#include <twinkle/twinkle.h>

#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

namespace hand_over {

using twinkle::Collect, twinkle::Dispatch, twinkle::Execute;

struct Rollout {
  std::string text;
  int64_t sampler = 0;  // the rank that made it
};

class Sampler {
 public:
  std::vector<Rollout> Generate(const std::vector<std::string>& prompts) {
    std::vector<Rollout> rollouts;
    rollouts.reserve(prompts.size());
    for (const std::string& prompt : prompts) {
      rollouts.push_back({.text = prompt + " ...", .sampler = twinkle::Context().rank()});
    }
    return rollouts;
  }
};
TWINKLE_REMOTE_CLASS(Sampler, (Execute::kAll), (Generate, Dispatch::kSlice, Collect::kFlatten))

class Scorer {
 public:
  std::vector<std::string> Rate(const std::vector<Rollout>& rollouts) {
    const int here = twinkle::Context().rank();
    std::vector<std::string> ratings;
    ratings.reserve(rollouts.size());
    for (const auto& [text, sampler] : rollouts) {
      ratings.push_back(absl::StrCat(text, "  from sampler ", sampler, " to scorer ", here));
    }
    return ratings;
  }
};
TWINKLE_REMOTE_CLASS(Scorer, (Execute::kAll), (Rate, Dispatch::kSlice, Collect::kFlatten))

absl::Status Run() {
  const auto sampler = twinkle::New<Sampler>({.remote_group = "samplers"});
  const auto scorer = twinkle::New<Scorer>({.remote_group = "scorers"});
  if (!sampler.ok()) return sampler.status();
  if (!scorer.ok()) return scorer.status();

  const auto rollouts = sampler->Generate({"one", "two", "three", "four", "five", "six"});
  // Called before there is a single rollout: the scorers begin when their rows are there.
  const auto ratings = scorer->Rate(rollouts);

  const absl::StatusOr<int64_t> count = rollouts.Size();  // waits for the count, moves no rollout
  if (!count.ok()) return count.status();
  std::cout << *count << " rollouts, counted without being fetched\n";

  if (!ratings.Get().ok()) return ratings.Get().status();
  for (const std::string& line : *ratings.Get()) std::cout << line << '\n';
  return absl::OkStatus();
}

}  // namespace hand_over

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "in_process";
  if (mode != "local" && mode != "in_process") {
    std::cerr << "usage: example_hand_over [local | in_process]\n";
    return 2;
  }
  auto session = twinkle::Initialize(argc, argv,
                                     {.mode = mode == "local" ? twinkle::Mode::kLocal : twinkle::Mode::kInProcess,
                                      .groups = {{.name = "samplers", .ranks = 3, .device_type = "cpu"},
                                                 {.name = "scorers", .ranks = 2, .device_type = "cpu"}}});
  absl::Status status = session.status();
  if (status.ok()) status = hand_over::Run();
  if (status.ok()) status = session->Finish();
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}

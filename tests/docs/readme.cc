// The program that README.md shows, as it stands there.
#include <twinkle/twinkle.h>

#include <iostream>
#include <string>
#include <vector>

using Texts = std::vector<std::string>;

class Policy {  // an ordinary class
 public:
  Texts Generate(const Texts& prompts) {
    const std::string here = " from rank " + std::to_string(twinkle::Context().rank());
    Texts answers;
    for (const std::string& prompt : prompts) answers.push_back(prompt + here);
    return answers;
  }
};
TWINKLE_REMOTE_CLASS(Policy, (twinkle::Execute::kAll),
                     (Generate, twinkle::Dispatch::kSliceDp, twinkle::Collect::kFlattenDp))

absl::Status Run(int argc, char** argv) {
  auto session = twinkle::Initialize(argc, argv, {.groups = {{.name = "policy", .ranks = 4, .device_type = "cpu"}}});
  if (!session.ok()) return session.status();
  const auto mesh = twinkle::DeviceMesh::FromSizes({.dp = 2, .tp = 2});
  if (!mesh.ok()) return mesh.status();
  const auto policy = twinkle::New<Policy>({.remote_group = "policy", .device_mesh = *mesh});
  if (!policy.ok()) return policy.status();
  const twinkle::Lazy<Texts> answers = policy->Generate({"one", "two", "three"});  // returns at once
  if (!answers.Get().ok()) return answers.Get().status();
  for (const std::string& answer : *answers.Get()) std::cout << answer << '\n';
  return session->Finish();
}

int main(int argc, char** argv) {
  const absl::Status status = Run(argc, argv);
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}

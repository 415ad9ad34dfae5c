// What docs/howto.md shows, in programs that compile.
#include <twinkle/twinkle.h>

#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// ---- of LibTorch, what the page uses
namespace at {
struct Tensor {
  Tensor contiguous() const;
  Tensor cpu() const;
};
DLManagedTensor* toDLPack(const Tensor& tensor);
Tensor fromDLPack(DLManagedTensor* tensor);
}  // namespace at

using twinkle::Collect, twinkle::Dispatch;

// ---- call another component from inside a method
class Judge {
 public:
  std::vector<double> Score(const std::vector<std::string>& texts);
};
TWINKLE_REMOTE_CLASS(Judge, (), (Score, Dispatch::kAll, Collect::kFlatten))

namespace nested {
class Trainer {
 public:
  explicit Trainer(twinkle::Remote<Judge> judge) : judge_(std::move(judge)) {}
  absl::StatusOr<double> Step(const std::vector<std::string>& texts) {
    const auto scores = judge_.Score(texts);  // from this rank; returns at once
    if (!scores.Get().ok()) return scores.Get().status();
    return scores.Get()->front();
  }

 private:
  twinkle::Remote<Judge> judge_;
};
TWINKLE_REMOTE_CLASS(Trainer, (), (Step, Dispatch::kAll))
}  // namespace nested

class Node {
 public:
  int64_t Value();
  int64_t Ask(const twinkle::Remote<Node>& other);
};
TWINKLE_REMOTE_CLASS(Node, (), (Value), (Ask))
int64_t Node::Ask(const twinkle::Remote<Node>& other) { return other.Rank(0).Value().Get().value_or(0); }

// ---- split and join
namespace joined {
struct Batch {
  std::vector<std::vector<int32_t>> tokens;
};
struct Gradients {
  twinkle::Tensor weights;
  std::vector<float> bias;
  double loss = 0;
};
class Trainer {
 public:
  Gradients Backward(const Batch& batch);
};
TWINKLE_REMOTE_CLASS(Trainer, (), (Backward, Dispatch::kSliceDp, Collect::kMeanEach))
}  // namespace joined

// ---- go on after a rank has died
std::string LastCheckpoint();
absl::Status Train(const std::string& checkpoint);
absl::Status Recover(int argc, char** argv, const twinkle::InitializeOptions& options) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    auto session = twinkle::Initialize(argc, argv, options);
    if (!session.ok()) return session.status();
    const absl::Status trained = Train(LastCheckpoint());  // New, calls; saves checkpoints as it goes
    const absl::Status ended = session->Finish();
    if (trained.ok()) return ended;
    if (trained.code() != absl::StatusCode::kAborted) return trained;
  }
  return absl::AbortedError("five attempts");
}

// ---- read a result right where the call stands
namespace reading {
struct Report {
  double loss = 0;
  std::vector<float> values;
};
class Trainer {
 public:
  Report Step();
};
TWINKLE_REMOTE_CLASS(Trainer, (), (Step, Collect::kFirst))
class Policy {
 public:
  std::vector<std::string> Generate(const std::vector<std::string>& prompts);
};
TWINKLE_REMOTE_CLASS(Policy, (), (Generate, Dispatch::kAll, Collect::kFlatten))

double Read(const twinkle::Remote<Trainer>& trainer, const twinkle::Remote<Policy>& policy,
            const std::vector<std::string>& prompts) {
  const twinkle::DeviceMesh& mesh = *twinkle::DeviceMesh::FromSizes({.dp = 2});  // right: the reference keeps the mesh
  const double loss = trainer.Step().Get()->loss;                                // right: a copy
  for (const std::string& text : *policy.Generate(prompts).Get()) std::cout << text;  // right: the loop keeps the list
  for (const float value : (*trainer.Step().Get()).values) std::cout << value;        // right: and here the struct
  return loss / mesh.world_size();
}
}  // namespace reading

// ---- wait, stop waiting, stop working
using joined::Batch;
absl::Status Work(const std::vector<Batch>& batches) {
  const twinkle::RankContext context = twinkle::Context();  // a copy, also for threads that the method starts
  for (const Batch& batch : batches) {
    if (context.Cancelled()) return absl::CancelledError("stopped");
    std::cout << batch.tokens.size();
  }
  return absl::OkStatus();
}

// ---- use LibTorch in a rank
twinkle::Tensor FromTorch(const at::Tensor& tensor) {
  return twinkle::Tensor::FromDLPack(at::toDLPack(tensor.contiguous().cpu())).value();
}
at::Tensor ToTorch(const twinkle::Tensor& tensor) { return at::fromDLPack(tensor.ToDLPack()); }

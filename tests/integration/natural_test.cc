// What is written naturally works: values taken out of temporaries, deadlines, common types, sums beside each other.
#include <absl/container/flat_hash_map.h>
#include <absl/time/clock.h>
#include <twinkle/twinkle.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <string>
#include <vector>

#include "tests/integration/session.h"

namespace natural {

using twinkle::Collect, twinkle::Dispatch, twinkle::Tensor;
using List = std::vector<int64_t>;

struct Step {
  Tensor gradient;
  std::vector<float> bias;
  double loss = 0;
};

class Worker {
 public:
  List Numbers() { return {twinkle::Context().rank(), 10}; }
  std::string Devices() {
    std::string text;
    for (int device : twinkle::Context().devices()) text += std::to_string(device) + " ";
    return text;
  }
  std::string Group() {
    const std::string& group = twinkle::Context().group();
    return group;
  }
  int64_t MeshSize() {
    const auto& mesh = *twinkle::Context().device_mesh();
    return mesh.world_size();
  }
  Step Train() {
    const float rank = static_cast<float>(twinkle::Context().rank());
    return {*Tensor::FromVector<float>({rank, 1}), {rank}, rank};
  }
  std::vector<float> Uneven() { return std::vector<float>(static_cast<size_t>(1 + twinkle::Context().rank())); }
  absl::Duration Limit(absl::Duration limit, const absl::flat_hash_map<std::string, std::deque<int>>& more) {
    return limit * static_cast<int>(more.at("times").size());
  }
  void Fail() { throw std::runtime_error("on purpose"); }
};
TWINKLE_REMOTE_CLASS(Worker, (), (Numbers, Collect::kFlatten), (Devices, Collect::kFirst), (Group, Collect::kFirst),
                     (MeshSize, Collect::kFirst), (Train, Collect::kMeanEach), (Uneven, Collect::kSumEach),
                     (Limit, Dispatch::kAll, Collect::kFirst), (Fail))

}  // namespace natural

namespace {

using namespace twinkle::tests;
using Catch::Matchers::ContainsSubstring;
using natural::List, natural::Worker;
using twinkle::Mode, twinkle::New;

constexpr char kGroup[] = "a group whose name is too long for a small string";

TEST_CASE("values and facts of temporaries are good where they are used") {
  auto session = Begin({.mode = GENERATE(Mode::kLocal, Mode::kInProcess),
                        .groups = {Devices(kGroup, 2)},
                        .device_mesh = Mesh({.dp = 2})});
  auto worker = Must(New<Worker>({.remote_group = kGroup}));
  List seen;
  for (int64_t number : *worker.Numbers().Get()) seen.push_back(number);
  for (int64_t number : worker.Numbers().Value().value()) seen.push_back(number);
  for (int64_t number : worker.Numbers()) seen.push_back(number);
  const List once = Result(worker.Numbers());
  CHECK(seen.size() == 3 * once.size());
  const auto& kept = *worker.Numbers().Value();
  CHECK(kept == once);
  const twinkle::Tensor tensor = TensorOf<float>({1, 2});
  float sum = 0;
  for (float element : *tensor.data<float>()) sum += element;
  for (float element : *TensorOf<float>({3, 4}).data<float>()) sum += element;
  CHECK(sum == 10);
  CHECK(Result(worker.MeshSize()) == 2);
}

TEST_CASE("a rank's facts outlive the context that gave them") {
  auto session = Begin({.mode = Mode::kInProcess, .groups = {Devices(kGroup, 2)}, .device_mesh = Mesh({.dp = 2})});
  auto worker = Must(New<Worker>({.remote_group = kGroup}));
  CHECK(Result(worker.Devices()) == "0 ");
  CHECK(Result(worker.Group()) == kGroup);
  CHECK(Result(worker.MeshSize()) == 2);
}

TEST_CASE("Value is the caller's own copy, and the lazy keeps its own") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2)});
  auto worker = Must(New<Worker>({.remote_group = "g"}));
  const auto lazy = worker.Numbers();
  absl::StatusOr<List> mine = lazy.Value();
  REQUIRE(mine.ok());
  mine->clear();
  CHECK(Result(lazy).size() == 4);
  CHECK(twinkle::Lazy<List>().Value().status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("waits take a duration, a deadline or a chrono duration") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2)});
  auto worker = Must(New<Worker>({.remote_group = "g"}));
  CHECK(worker.component().WaitReady(absl::Now() + absl::Minutes(1)).ok());
  const auto lazy = worker.Numbers();
  CHECK(lazy.Wait(absl::Now() + absl::Minutes(1)).ok());
  CHECK(lazy.Wait(std::chrono::minutes(1)).ok());
  CHECK(lazy.Wait(absl::InfiniteFuture()).ok());
  CHECK(twinkle::WaitAll(std::vector{lazy}, absl::Now() + absl::Minutes(1)).ok());
}

TEST_CASE("gradients are averaged element by element") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 3)});
  auto worker = Must(New<Worker>({.remote_group = "g"}));
  const natural::Step step = Result(worker.Train());
  CHECK(Items<float>(step.gradient) == std::vector<float>{1, 1});
  CHECK(step.bias == std::vector<float>{1});
  CHECK(step.loss == 1);
  CHECK_THAT(Told(worker.Uneven().Get()),
             ContainsSubstring("rank 1 gave a list of 2, rank 0 a list of 1") && ContainsSubstring("ragged"));
}

TEST_CASE("durations, hash maps and deques are arguments and results like others") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2)});
  auto worker = Must(New<Worker>({.remote_group = "g"}));
  CHECK(Result(worker.Limit(absl::Seconds(2), {{"times", {1, 2, 3}}})) == absl::Seconds(6));
}

TEST_CASE("files are in $TWINKLE_FILES where ranks are in the program's process") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  const std::string path =
      std::string(getenv("TMPDIR") != nullptr ? getenv("TMPDIR") : "/tmp") + "/twinkle-natural.txt";
  std::ofstream(path) << "text";
  {
    char name[] = "test";
    char* argv[] = {name, nullptr};
    auto session = Must(twinkle::Initialize(1, argv, {.mode = mode, .groups = {Cpu("g", 1)}, .files = {path}}));
    REQUIRE(getenv("TWINKLE_FILES") != nullptr);
    std::string text;
    std::ifstream(std::string(getenv("TWINKLE_FILES")) + "/twinkle-natural.txt") >> text;
    CHECK(text == "text");
    Must(session.Finish());
  }
  CHECK(getenv("TWINKLE_FILES") == nullptr);
  char name[] = "test";
  char* argv[] = {name, nullptr};
  const auto twice = twinkle::Initialize(1, argv, {.mode = mode, .files = {path, path}});
  CHECK_THAT(Told(twice), ContainsSubstring("has the base name of another file"));
}

TEST_CASE("GetErrorDetail tells where a call failed") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2)});
  auto worker = Must(New<Worker>({.remote_group = "g"}));
  const absl::Status failed = worker.Rank(1).Fail().Get();
  const auto detail = twinkle::GetErrorDetail(failed);
  REQUIRE(detail.has_value());
  CHECK(detail->class_name == "natural::Worker");
  CHECK(detail->method == "Fail");
  CHECK(detail->rank == 1);
  CHECK(detail->group == "g");
  CHECK(detail->file == "natural_test.cc");
  CHECK(detail->line == __LINE__ - 8);
  CHECK(detail->pid == getpid());
  CHECK_FALSE(detail->host.empty());
  CHECK_FALSE(twinkle::GetErrorDetail(absl::OkStatus()).has_value());
  CHECK_FALSE(twinkle::GetErrorDetail(absl::UnknownError("other")).has_value());
}

}  // namespace

// The program of the interface's contract, run: what each of its comments promises is checked here.
#include <twinkle/twinkle.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/session.h"

namespace rl {
namespace {

using twinkle::Collect, twinkle::Dispatch, twinkle::Execute, twinkle::Lazy;
using twinkle::tests::Gate, twinkle::tests::Log;

// What the remote objects did, for the test: rank and what it was given.
Log<std::pair<int, std::vector<std::string>>> generated;
Log<std::pair<int, std::string>> saved;
Log<std::string> loaded;
std::atomic<int> loaders = 0;
Gate gate;  // Generate waits there, where there is one

}  // namespace

struct Sample {
  std::string prompt;
  std::vector<int32_t> tokens;
  float reward = 0;
};

struct Batch {
  std::vector<std::vector<int32_t>> input_ids;
  twinkle::Tensor advantages;
  float temperature = 1.0f;
};

class PromptLoader {
 public:
  PromptLoader(std::string path, int64_t batch_size) : path_(std::move(path)), batch_size_(batch_size) {
    loaders += 1;
    loaded.Add(path_);
  }
  std::optional<std::vector<std::string>> Next() {
    if (path_ == "broken" && next_ > 0) throw std::runtime_error("the disk is on fire");
    if (next_ >= Size()) return std::nullopt;
    std::vector<std::string> prompts;
    for (; next_ < Size() && static_cast<int64_t>(prompts.size()) < batch_size_; ++next_) {
      prompts.push_back("prompt " + std::to_string(next_));
    }
    return prompts;
  }
  int64_t Size() const { return 18; }

 private:
  const std::string path_;
  const int64_t batch_size_;
  int64_t next_ = 0;
};
TWINKLE_REMOTE_CLASS(PromptLoader, (Execute::kFirst), (Next, Collect::kFirst),
                     (Size, Collect::kFirst, twinkle::LazyCollect{false}))

class Policy {
 public:
  static absl::StatusOr<std::unique_ptr<Policy>> Create(std::string checkpoint, twinkle::DeviceMesh mesh) {
    if (checkpoint.empty() && twinkle::Context().rank() == twinkle::Context().world_size() - 1) {
      return absl::NotFoundError("no such checkpoint");
    }
    return std::unique_ptr<Policy>(new Policy(std::move(mesh)));
  }

  std::vector<Sample> Generate(const std::vector<std::string>& prompts) {
    gate.Wait();
    generated.Add({twinkle::Context().rank(), prompts});
    std::vector<Sample> samples;
    for (const std::string& prompt : prompts) {
      if (prompt == "boom") throw std::runtime_error("no words");
      samples.push_back({.prompt = prompt, .tokens = std::vector<int32_t>(prompt.size(), 1), .reward = 0.5f});
    }
    return samples;
  }
  absl::StatusOr<std::map<std::string, double>> Train(const Batch& batch, float learning_rate) {
    if (learning_rate < 0) return absl::InvalidArgumentError("a negative learning rate");
    const auto advantages = batch.advantages.data<float>();
    if (!advantages.ok()) return advantages.status();
    if (advantages->size() != batch.input_ids.size()) return absl::InternalError("members were split differently");
    return std::map<std::string, double>{{"loss", std::accumulate(advantages->begin(), advantages->end(), 0.0)},
                                         {"temperature", batch.temperature},
                                         {"rows", static_cast<double>(batch.input_ids.size())}};
  }
  int64_t Pack(const std::vector<Sample>& samples) {
    return std::accumulate(samples.begin(), samples.end(), int64_t{0}, [](int64_t sum, const Sample& sample) {
      return sum + static_cast<int64_t>(sample.tokens.size());
    });
  }
  void Save(const std::string& path) { saved.Add({twinkle::Context().rank(), path}); }

 private:
  explicit Policy(twinkle::DeviceMesh mesh) : mesh_(std::move(mesh)) {}
  const twinkle::DeviceMesh mesh_;
};

absl::StatusOr<std::tuple<std::vector<Sample>>> LongestFirst(int length, int i,
                                                             const std::tuple<std::vector<Sample>>& args,
                                                             const twinkle::DeviceMesh* mesh) {
  if (mesh == nullptr) return absl::InternalError("own dispatch gets the component's mesh");
  std::vector<Sample> sorted = std::get<0>(args);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Sample& a, const Sample& b) { return a.tokens.size() > b.tokens.size(); });
  std::vector<Sample> mine;
  for (size_t at = static_cast<size_t>(i); at < sorted.size(); at += static_cast<size_t>(length)) {
    mine.push_back(sorted[at]);
  }
  return std::tuple(std::move(mine));
}

absl::StatusOr<int64_t> Total(const std::vector<int64_t>& all_results, const twinkle::DeviceMesh* mesh) {
  if (mesh == nullptr) return absl::InternalError("own collect gets the component's mesh");
  return std::accumulate(all_results.begin(), all_results.end(), int64_t{0});
}

TWINKLE_REMOTE_CLASS(Policy, (Execute::kAll), (Generate, Dispatch::kSliceDp, Collect::kFlattenDp),
                     (Train, Dispatch::kSliceDp, Collect::kMean, twinkle::Sync{true}, twinkle::LazyCollect{false}),
                     (Pack, twinkle::DispatchBy<&LongestFirst>, twinkle::CollectBy<&Total>,
                      twinkle::Timeout{std::chrono::seconds(30)}),
                     (Save, Dispatch::kAll, Execute::kFirst))

}  // namespace rl

namespace {

using namespace twinkle::tests;
using Catch::Matchers::ContainsSubstring;

absl::Status TrainOnce(const twinkle::Remote<rl::Policy>& policy,
                       const twinkle::Lazy<std::vector<std::string>>& prompts, std::ostream& out) {
  twinkle::Lazy<std::vector<rl::Sample>> samples = policy.Generate(prompts);
  absl::StatusOr<int64_t> rows = samples.Size();
  if (!rows.ok()) return rows.status();

  twinkle::Lazy<int64_t> packed = policy.Pack(samples.Rows(0, *rows / 2));
  const absl::StatusOr<int64_t>& count = packed.Get();
  if (!count.ok()) return count.status();
  CHECK(&packed.Get() == &count);  // a second Get is free
  out << *rows << " samples, " << *count << " tokens\n";
  return absl::OkStatus();
}

twinkle::InitializeOptions Options(twinkle::Mode mode) {
  return {.mode = mode,
          .driver = "",
          .groups = {{.name = "policy", .ranks = 4, .device_type = "cpu"},
                     {.name = "data", .ranks = 2, .device_type = "cpu"}},
          .nproc_per_node = 8,
          .seed = 42,
          .lazy_collect = true,
          .notifier = [](const std::string& message) { std::cerr << message << '\n'; }};
}

twinkle::DeviceMesh DpTp() { return Mesh({.dp = 2, .tp = 2}); }

twinkle::Remote<rl::Policy> NewPolicy(const std::string& checkpoint = "checkpoints/0") {
  return Must(twinkle::New<rl::Policy>({.remote_group = "policy", .device_mesh = DpTp()}, checkpoint, DpTp()));
}

TEST_CASE("the program of the contract runs from Initialize to Finish") {
  const auto mode = GENERATE(twinkle::Mode::kLocal, twinkle::Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == twinkle::Mode::kLocal;
  rl::loaders = 0;
  rl::generated.Take();
  rl::saved.Take();
  rl::loaded.Take();
  auto session = Begin(Options(mode));
  CHECK_THAT(twinkle::DevicePlacement(), ContainsSubstring("policy") && ContainsSubstring("data"));

  auto mesh = twinkle::DeviceMesh::FromSizes({.dp = 2, .tp = 2});
  auto loader = twinkle::New<rl::PromptLoader>({.remote_group = "data"}, "prompts.txt", 6);
  auto policy = twinkle::New<rl::Policy>({.remote_group = "policy", .device_mesh = *mesh}, "checkpoints/0", *mesh);
  REQUIRE(loader.ok());
  REQUIRE(policy.ok());
  CHECK(Told(policy->component().WaitReady(absl::Seconds(60))) == "OK");

  std::ostringstream out;
  int rounds = 0;
  for (const auto& prompts : loader->Next.Each()) {
    CHECK(Told(TrainOnce(*policy, prompts, out)) == "OK");
    ++rounds;
  }
  CHECK(rounds == 3);
  CHECK(rl::loaders == 1);  // on rank 0 of its group only
  CHECK(rl::loaded.Take() == std::vector<std::string>{"prompts.txt"});
  // Half of six samples of 8 letters; from the third round on some have 9.
  CHECK(out.str() == "6 samples, 24 tokens\n6 samples, 24 tokens\n6 samples, 27 tokens\n");
  // One list for each worker, tensor-parallel peers the same one.
  std::map<int, std::vector<std::string>> first;
  for (auto& [rank, prompts] : rl::generated.Take()) first.try_emplace(rank, std::move(prompts));
  using Prompts = std::vector<std::string>;
  if (local) {
    CHECK(first ==
          std::map<int, Prompts>{{0, {"prompt 0", "prompt 1", "prompt 2", "prompt 3", "prompt 4", "prompt 5"}}});
  } else {
    const Prompts upper = {"prompt 0", "prompt 1", "prompt 2"}, lower = {"prompt 3", "prompt 4", "prompt 5"};
    CHECK(first == std::map<int, Prompts>{{0, upper}, {1, upper}, {2, lower}, {3, lower}});
  }

  rl::Batch batch{.input_ids = {{1, 2}, {3}, {4, 5}, {6}},
                  .advantages = *twinkle::Tensor::FromVector<float>({1, 2, 3, 4})};
  auto loss = policy->Train(batch, 1e-5f);
  STATIC_REQUIRE(std::is_same_v<decltype(loss), twinkle::Lazy<std::map<std::string, double>>>);
  CHECK(loss.Ready());  // filled
  REQUIRE(loss.Get().ok());
  CHECK(loss.Get()->at("loss") == Approx(local ? 10 : 5));  // the mean of 3, 3, 7 and 7
  CHECK(loss.Get()->at("temperature") == Approx(1));
  CHECK(loss.Get()->at("rows") == Approx(local ? 4 : 2));

  twinkle::Lazy<rl::Batch> shared = twinkle::Put(batch);
  CHECK(Result(policy->Train(shared, 1e-5f)) == *loss.Get());
  policy->Save("checkpoints/1");
  CHECK(Told(session.Finish()) == "OK");
  CHECK(rl::saved.Take() == std::vector<std::pair<int, std::string>>{{0, "checkpoints/1"}});
}

TEST_CASE("a method with LazyCollect{false} is collected by the time the call returns") {
  const auto mode = GENERATE(twinkle::Mode::kLocal, twinkle::Mode::kInProcess);
  auto session = Begin(Options(mode));
  auto loader = Must(twinkle::New<rl::PromptLoader>({.remote_group = "data"}, "prompts.txt", 4));
  const auto size = loader.Size();
  CHECK(size.Ready());
  CHECK(Result(size) == 18);
}

TEST_CASE("a call returns at once, also when its ranks are busy") {
  auto session = Begin(Options(twinkle::Mode::kInProcess));
  const ClosedHere closed(rl::gate);
  auto policy = NewPolicy();
  const auto samples = policy.Generate({"a", "b"});
  CHECK_FALSE(samples.Ready());
  rl::gate.Open();
  const auto rows = samples.Size();  // waits
  CHECK(Must(rows) == 2);
}

TEST_CASE("a failed call says which method on which rank of which group, where, and why") {
  const auto mode = GENERATE(twinkle::Mode::kLocal, twinkle::Mode::kInProcess);
  auto session = Begin(Options(mode));
  auto policy = NewPolicy();
  const auto samples = policy.Generate({"fine", "boom"});
  const int line = __LINE__ - 1;
  const std::string where = "usage_test.cc:" + std::to_string(line);
  const absl::Status failed = samples.Size().status();
  CHECK(failed.code() == absl::StatusCode::kUnknown);
  CHECK_THAT(Told(failed),
             ContainsSubstring("Policy.Generate failed") && ContainsSubstring(where) && ContainsSubstring("no words"));
  if (mode == twinkle::Mode::kInProcess) CHECK_THAT(Told(failed), ContainsSubstring("of group 'policy' ("));
  CHECK(samples.Get().status() == failed);
}

TEST_CASE("New checks at once what can be checked") {
  const auto mode = GENERATE(twinkle::Mode::kLocal, twinkle::Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(Options(mode));
  const auto unknown = twinkle::New<rl::Policy>({.remote_group = "polcy", .device_mesh = DpTp()}, "0", DpTp());
  CHECK(unknown.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(Told(unknown), ContainsSubstring("polcy"));
  const auto no_mesh = twinkle::New<rl::Policy>({.remote_group = "policy"}, "0", DpTp());
  // Locally the mesh is not looked at.
  CHECK(no_mesh.status().code() ==
        (mode == twinkle::Mode::kLocal ? absl::StatusCode::kOk : absl::StatusCode::kInvalidArgument));
  if (!no_mesh.ok()) CHECK_THAT(Told(no_mesh), ContainsSubstring("Policy.") && ContainsSubstring("device_mesh"));
}

TEST_CASE("without remote_group the object is made in this process") {
  const auto mode = GENERATE(twinkle::Mode::kLocal, twinkle::Mode::kInProcess);
  auto session = Begin(Options(mode));
  auto policy = Must(twinkle::New<rl::Policy>({}, "checkpoints/0", DpTp()));
  rl::generated.Take();
  CHECK(Must(policy.Generate({"a", "b", "c"}).Size()) == 3);
  CHECK(rl::generated.Take() == std::vector<std::pair<int, std::vector<std::string>>>{{0, {"a", "b", "c"}}});
  CHECK(policy.component().world_size() == 1);
}

TEST_CASE("WaitReady tells of a failed constructor: which rank, host, why") {
  const auto mode = GENERATE(twinkle::Mode::kLocal, twinkle::Mode::kInProcess);
  auto session = Begin(Options(mode));
  auto policy = NewPolicy("");
  const absl::Status ready = policy.component().WaitReady(absl::Seconds(60));
  CHECK(ready.code() == absl::StatusCode::kNotFound);
  CHECK_THAT(Told(ready), ContainsSubstring("Policy.constructor failed") && ContainsSubstring("no such checkpoint"));
  if (mode == twinkle::Mode::kInProcess) CHECK_THAT(Told(ready), ContainsSubstring("rank 3 of group 'policy' ("));
}

TEST_CASE("a failing Next gives the loop one Lazy that holds the error, and ends it") {
  const auto mode = GENERATE(twinkle::Mode::kLocal, twinkle::Mode::kInProcess);
  auto session = Begin(Options(mode));
  auto loader = Must(twinkle::New<rl::PromptLoader>({.remote_group = "data"}, "broken", 6));
  std::vector<std::string> told;
  for (const auto& prompts : loader.Next.Each()) told.push_back(Told(prompts.Get()));
  REQUIRE(told.size() == 2);
  CHECK(told[0] == "OK");
  CHECK_THAT(told[1], ContainsSubstring("the disk is on fire"));
  CHECK(Told(session.Finish()) == "OK");  // the iteration was given it
}

TEST_CASE("Finish returns the first failure that nobody looked at") {
  const auto mode = GENERATE(twinkle::Mode::kLocal, twinkle::Mode::kInProcess);
  auto session = Begin(Options(mode));
  auto policy = NewPolicy();
  policy.Train(rl::Batch{.input_ids = {{1}, {2}}, .advantages = TensorOf<float>({1, 2})}, -1.0f);
  CHECK_THAT(Told(session.Finish()), ContainsSubstring("a negative learning rate"));
}

TEST_CASE("without Finish the destructor ends the job, and another can begin") {
  const auto mode = GENERATE(twinkle::Mode::kLocal, twinkle::Mode::kInProcess);
  rl::saved.Take();
  {
    auto session = Begin(Options(mode));
    NewPolicy().Save("checkpoints/2");
  }
  CHECK(rl::saved.Take().size() == 1);  // it waits for calls under way
  auto session = Begin(Options(mode));
  CHECK(Told(session.Finish()) == "OK");
}

}  // namespace

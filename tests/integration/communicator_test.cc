// Ranks that do something together inside a method: communicators of components, in process and on a cluster.
#include <twinkle/communicator.h>
#include <twinkle/twinkle.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/session.h"
#include "tests/support/communicator_checks.h"

namespace together {

using twinkle::Collect, twinkle::Context, twinkle::Tensor;

Tensor One(double value) { return Tensor::FromVector<double>({value}).value(); }

class Ranks {
 public:
  // What is wrong with that check here.
  absl::StatusOr<std::string> Check(int64_t check, int64_t seed) {
    auto communicator = Context().Communicator();
    if (!communicator.ok()) return communicator.status();
    return twinkle::tests::CommunicatorChecks()[static_cast<size_t>(check)].run(*communicator,
                                                                                static_cast<uint64_t>(seed));
  }
  // The ranks that take part with this one, and the sum of their numbers.
  absl::StatusOr<std::vector<int64_t>> In(const std::string& dim) {
    auto communicator = Context().Communicator(dim);
    if (!communicator.ok()) return communicator.status();
    Tensor sum = One(Context().rank());
    if (absl::Status status = communicator->AllReduce(&sum); !status.ok()) return status;
    std::vector<int64_t> said(communicator->ranks().begin(), communicator->ranks().end());
    said.push_back(static_cast<int64_t>((*sum.data<double>())[0]));
    return said;
  }
  absl::StatusOr<int64_t> SizeIn(const std::string& first, const std::string& second) {
    auto communicator = Context().Communicator({first, second});
    if (!communicator.ok()) return communicator.status();
    return communicator->size();
  }
  // With a communicator that is kept from the first call on, and a thread of the method's.
  absl::StatusOr<double> Kept() {
    if (!kept_) {
      auto made = Context().Communicator();
      if (!made.ok()) return made.status();
      kept_ = *made;
    }
    Tensor sum = One(1);
    if (absl::Status status = kept_->Barrier(); !status.ok()) return status;
    absl::Status status;
    std::thread([&] { status = kept_->AllReduce(&sum); }).join();
    if (!status.ok()) return status;
    return (*sum.data<double>())[0];
  }
  // One rank does something else while the others add.
  absl::StatusOr<double> But(int rank, const std::string& what) {
    auto communicator = Context().Communicator();
    if (!communicator.ok()) return communicator.status();
    Tensor sum = One(1);
    if (Context().rank() == rank) {
      if (what == "fails") return absl::DataLossError("the disk is full");
      if (what == "throws") throw std::runtime_error("no such file");
      if (what == "leaves") return 0;
      if (what == "dies") raise(SIGKILL);
      if (what == "differs") return communicator->Barrier();
    }
    if (absl::Status status = communicator->AllReduce(&sum); !status.ok()) return status;
    return (*sum.data<double>())[0];
  }
  absl::StatusOr<double> Adds() { return But(-1, ""); }

 private:
  std::optional<twinkle::Communicator> kept_;
};
TWINKLE_REMOTE_CLASS(Ranks, (), (Check), (In), (SizeIn), (Kept), (But), (Adds))

class Wide {
 public:
  absl::Status Ask() { return Context().Communicator().status(); }
};
TWINKLE_REMOTE_CLASS(Wide, (twinkle::MaxConcurrency{2}), (Ask))

}  // namespace together

namespace {

using namespace twinkle::tests;
using namespace together;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::New, twinkle::Remote;

Remote<Ranks> On(const std::string& group, std::optional<twinkle::DeviceMesh> mesh = std::nullopt) {
  return Must(New<Ranks>({.remote_group = group, .device_mesh = std::move(mesh)}));
}

TEST_CASE("ranks compute the same bits as one loop") {
  const uint64_t seed = Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  for (int count : {1, 3, 4}) {
    const auto session = Begin(Mode::kInProcess, {Cpu("ranks", count)});
    const Remote<Ranks> ranks = On("ranks");
    for (size_t check = 0; check < CommunicatorChecks().size(); ++check) {
      INFO(CommunicatorChecks()[check].name << " on " << count << " ranks");
      for (const std::string& wrong :
           Result(ranks.Check(static_cast<int64_t>(check), static_cast<int64_t>(seed / 2)))) {
        CHECK(wrong == "");  // NOLINT(readability-container-size-empty): it says what is wrong
      }
    }
  }
}

TEST_CASE("a communicator of a dimension has the ranks that differ in it only") {
  const auto session = Begin(Mode::kInProcess, {Cpu("ranks", 4)});
  const Remote<Ranks> ranks = On("ranks", Mesh({.dp = 2, .tp = 2}));
  using All = std::vector<std::vector<int64_t>>;
  CHECK(Result(ranks.In("tp")) == All{{0, 1, 1}, {0, 1, 1}, {2, 3, 5}, {2, 3, 5}});
  CHECK(Result(ranks.In("dp")) == All{{0, 2, 2}, {1, 3, 4}, {0, 2, 2}, {1, 3, 4}});
  CHECK(Result(ranks.SizeIn("tp", "dp")) == std::vector<int64_t>{4, 4, 4, 4});
  CHECK_THAT(Told(ranks.In("pp").Get()), ContainsSubstring("InvalidArgument") || ContainsSubstring("INVALID_ARGUMENT"));
  CHECK_THAT(Told(ranks.In("pp").Get()), ContainsSubstring("the mesh has no such dimension; it has dp, tp"));
}

TEST_CASE("a communicator may be kept, and be used by a thread of the method") {
  const auto session = Begin(Mode::kInProcess, {Cpu("ranks", 2)});
  const Remote<Ranks> ranks = On("ranks");
  for (int call = 0; call < 3; ++call) CHECK(Result(ranks.Kept()) == std::vector<double>{2, 2});
}

TEST_CASE(
    "a rank that fails, throws, leaves or does something else ends what its peers wait for; the next call works") {
  const auto session = Begin(Mode::kInProcess, {Cpu("ranks", 3)});
  const Remote<Ranks> ranks = On("ranks");
  const auto told = [&](const std::string& what) { return Told(ranks.But(1, what).Get()); };
  CHECK_THAT(told("fails"), ContainsSubstring("the disk is full"));
  CHECK(Result(ranks.Adds()) == std::vector<double>{3, 3, 3});
  CHECK_THAT(told("throws"), ContainsSubstring("no such file"));
  CHECK(Result(ranks.Adds()) == std::vector<double>{3, 3, 3});
  CHECK_THAT(told("leaves"), ContainsSubstring("rank 1 (") && ContainsSubstring("has left the method without") &&
                                 ContainsSubstring("AllReduce(sum, float64, 8 bytes) at communicator_test.cc:"));
  CHECK(Result(ranks.Adds()) == std::vector<double>{3, 3, 3});
  CHECK_THAT(told("differs"), ContainsSubstring("different operations") && ContainsSubstring("Barrier() at ") &&
                                  ContainsSubstring("AllReduce(sum"));
  CHECK(Result(ranks.Adds()) == std::vector<double>{3, 3, 3});
}

TEST_CASE("a rank's death ends what its peers wait for") {
  if (!OnCluster()) return;  // it would be the program's
  const auto session = Begin(Mode::kCluster, {Cpu("ranks", 3)});
  const Remote<Ranks> ranks = On("ranks");
  CHECK_THAT(Told(ranks.But(1, "dies").Get()), ContainsSubstring("signal 9") || ContainsSubstring("SIGKILL"));
}

TEST_CASE("communicators are for calls on all ranks, in one thread a rank") {
  const auto session = Begin(Mode::kInProcess, {Cpu("ranks", 2)});
  const Remote<Ranks> ranks = On("ranks");
  CHECK_THAT(Told(ranks.Rank(0).Adds().Get()), ContainsSubstring("needs a call that was made on all ranks"));
  const Remote<Wide> wide = Must(New<Wide>({.remote_group = "ranks"}));
  CHECK_THAT(Told(wide.Ask().Get()), ContainsSubstring("not for classes with MaxConcurrency"));
  CHECK_THAT(Told(twinkle::Context().Communicator().status()), ContainsSubstring("for the methods of a component"));
}

TEST_CASE("an object of the program is a communicator's one rank") {
  const auto session = Begin(Mode::kLocal, {Cpu("ranks", 2)});
  const Remote<Ranks> ranks = On("ranks", Mesh({.dp = 2}));
  CHECK(Result(ranks.Adds()) == std::vector<double>{1});
  CHECK(Result(ranks.SizeIn("dp", "dp")) == std::vector<int64_t>{1});
}

}  // namespace

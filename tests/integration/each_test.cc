// Iterating a method that gives items until it has no more.
#include <twinkle/twinkle.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/integration/session.h"

namespace iterated {

using twinkle::Collect, twinkle::Dispatch, twinkle::Execute, twinkle::Lazy, twinkle::Tensor;
using List = std::vector<int64_t>;

// Rank r has `counts[r]` items.
class Loader {
 public:
  explicit Loader(List counts, int64_t fails_at = -1)
      : left_(counts[static_cast<size_t>(twinkle::Context().rank())]), fails_at_(fails_at) {}
  std::optional<List> Next() {
    ++calls_;
    if (left_ == 0) return std::nullopt;
    --left_;
    return List{twinkle::Context().rank(), left_};
  }
  absl::StatusOr<std::optional<List>> NextOrFailure() {
    if (++calls_ > fails_at_ && fails_at_ >= 0) return absl::DataLossError("the disk is gone");
    --calls_;
    return Next();
  }
  std::optional<int64_t> Number() {
    const auto list = Next();
    return list ? std::optional(list->back()) : std::nullopt;
  }
  int64_t Calls() { return calls_; }

 private:
  int64_t left_;
  const int64_t fails_at_;
  int64_t calls_ = 0;
};
TWINKLE_REMOTE_CLASS(Loader, (), (Next, Collect::kFlatten), (NextOrFailure, Collect::kFirst), (Number), (Calls))

class Sink {
 public:
  List Echo(const List& list) { return list; }
};
TWINKLE_REMOTE_CLASS(Sink, (), (Echo, Dispatch::kAll, Collect::kFirst))

// In a worker process: iterates there.
class Reader {
 public:
  int64_t ReadAll(const twinkle::Remote<Loader>& loader) {
    int64_t items = 0;
    for (const auto& item : loader.Next.Each()) items += twinkle::tests::Must(item.Size()) / 2;
    return items;
  }
};
TWINKLE_REMOTE_CLASS(Reader, (), (ReadAll))

}  // namespace iterated

namespace {

using namespace twinkle::tests;
using namespace iterated;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::Remote;

template <class... A>
Remote<Loader> NewLoader(A... arguments) {
  return Must(twinkle::New<Loader>({.remote_group = "g"}, std::move(arguments)...));
}

TEST_CASE("Each gives a lazy for each item, and ends when there are no more") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("g", 2)});
  auto loader = NewLoader(List{3, 3});
  std::vector<List> items;
  for (const Lazy<List>& item : loader.Next.Each()) {
    CHECK(item.Ready());
    items.push_back(Result(item));
  }
  CHECK(items == (local ? std::vector<List>{{0, 2}, {0, 1}, {0, 0}}
                        : std::vector<List>{{0, 2, 1, 2}, {0, 1, 1, 1}, {0, 0, 1, 0}}));
  CHECK(Result(loader.Calls()).front() == 4);  // no call after the end
  for (const auto& item : loader.Next.Each()) FAIL_CHECK(Told(item.Get()));
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("an item that nobody fetches stays with its owner, and can be passed on") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 2), Cpu("sinks", 2)});
  auto loader = NewLoader(List{4, 4});
  auto sink = Must(twinkle::New<Sink>({.remote_group = "sinks"}));
  std::vector<Lazy<List>> echoes;
  for (const auto& item : loader.Next.Each()) echoes.push_back(sink.Echo(item));
  REQUIRE(echoes.size() == 4);
  CHECK(Result(echoes[0]) == (mode == Mode::kLocal ? List{0, 3} : List{0, 3, 1, 3}));
  CHECK(Result(echoes[3]) == (mode == Mode::kLocal ? List{0, 0} : List{0, 0, 1, 0}));
}

TEST_CASE("the loop ends when any rank has no more") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 3)});
  auto loader = NewLoader(List{5, 2, 3});
  int rounds = 0;
  CapturedStderr captured;
  for (const auto& item : loader.Next.Each()) {
    CHECK(Must(item.Size()) == 6);
    ++rounds;
  }
  CHECK(rounds == 2);
  // A warning names the ranks that still had items.
  CHECK_THAT(captured.Text(), ContainsSubstring("Loader.Next [each_test.cc:") && ContainsSubstring("ranks 0, 2"));
  CHECK(Result(loader.Calls()) == List{3, 3, 3});
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("of kFirst only the first rank's items count, but every rank must have more") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2)});
  auto loader = NewLoader(List{1, 4});
  int rounds = 0;
  for (const auto& item : loader.NextOrFailure.Each()) {
    CHECK(Result(item) == List{0, 0});
    ++rounds;
  }
  CHECK(rounds == 1);
}

TEST_CASE("items are collected by the method's rule") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 2)});
  auto loader = NewLoader(List{3, 3});
  std::vector<List> numbers;
  for (const Lazy<List>& item : loader.Number.Each()) numbers.push_back(Result(item));
  CHECK(numbers ==
        (mode == Mode::kLocal ? std::vector<List>{{2}, {1}, {0}} : std::vector<List>{{2, 2}, {1, 1}, {0, 0}}));
}

TEST_CASE("a failure gives one failed lazy, and then the end") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 2)});
  auto loader = NewLoader(List{5, 5}, int64_t{2});
  std::vector<std::string> told;
  for (const auto& item : loader.NextOrFailure.Each()) told.push_back(Told(item.Get()));
  const int line = __LINE__ - 1;
  REQUIRE(told.size() == 3);
  CHECK(told[0] == "OK");
  CHECK(told[1] == "OK");
  CHECK_THAT(told[2], ContainsSubstring("DATA_LOSS: Loader.NextOrFailure failed") &&
                          ContainsSubstring("each_test.cc:" + std::to_string(line)) &&
                          ContainsSubstring("the disk is gone"));
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("an iteration that its loop leaves early goes on where it was") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 1)});
  auto loader = NewLoader(List{3});
  for (const auto& item : loader.Next.Each()) {
    CHECK(Result(item) == List{0, 2});
    break;
  }
  List rest;
  for (const auto& item : loader.Next.Each()) rest.push_back(Result(item).back());
  CHECK(rest == List{1, 0});
}

TEST_CASE("called outside an iteration, the method gives the optional itself") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 1)});
  auto loader = NewLoader(List{1});
  CHECK(Result(loader.NextOrFailure()) == std::optional(List{0, 0}));
  CHECK(Result(loader.NextOrFailure()) == std::nullopt);
  CHECK(Result(loader.Rank(0).Next()) == std::nullopt);
}

TEST_CASE("the range of a handle that is gone still works") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 1)});
  const auto each = [] { return NewLoader(List{2}).Next.Each(); }();
  int rounds = 0;
  for (const auto& item : each) rounds += item.Get().ok() ? 1 : 0;
  CHECK(rounds == 2);
}

TEST_CASE("a method iterates another component") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 2), Cpu("readers", 1)});
  auto loader = NewLoader(List{3, 3});
  auto reader = Must(twinkle::New<Reader>({.remote_group = "readers"}));
  CHECK(Result(reader.ReadAll(loader)).front() == (mode == Mode::kLocal ? 3 : 6));
}

TEST_CASE("a released loader fails the iteration, it does not end it silently") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 1)});
  auto loader = NewLoader(List{3});
  Must(loader.component().Release());
  std::vector<absl::StatusCode> codes;
  for (const auto& item : loader.Next.Each()) codes.push_back(item.Get().status().code());
  CHECK(codes == std::vector{absl::StatusCode::kFailedPrecondition});
  codes.clear();
  for (const auto& item : Remote<Loader>().Next.Each()) codes.push_back(item.Get().status().code());
  CHECK(codes == std::vector{absl::StatusCode::kFailedPrecondition});
}

}  // namespace

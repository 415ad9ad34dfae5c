// PerRank, an argument of its own for each rank, and Rank(i), a call to one rank alone.
#include <twinkle/twinkle.h>

#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "tests/integration/session.h"

namespace ranks {

using twinkle::Collect, twinkle::Dispatch, twinkle::Execute, twinkle::Lazy, twinkle::PerRank, twinkle::Tensor;
using List = std::vector<int64_t>;

class Echo {
 public:
  Echo() = default;
  explicit Echo(std::string name) : name_(std::move(name)) {}
  Echo(std::string name, List list, int64_t offset) : name_(std::move(name)), list_(std::move(list)), offset_(offset) {}

  std::tuple<int64_t, List, std::string> Mixed(int64_t number, const List& list, const std::string& text) {
    return {number, list, text};
  }
  List OnAll(const List& list) { return list; }
  Tensor Dp(const Tensor& tensor) { return tensor; }
  int64_t OnFirst(int64_t number) { return number; }
  int64_t Summed(const List& list) {
    int64_t sum = offset_;
    for (int64_t item : list) sum += item;
    return sum;
  }
  List Flattened(const List& list) { return list; }
  int64_t Which() { return twinkle::Context().rank(); }
  void Remember(const std::string& name) { name_ = name; }
  std::string Name() { return name_; }
  List Held() { return list_; }
  int64_t Ask(const twinkle::Remote<Echo>& other);
  int64_t AskLazy(const Lazy<int64_t>& number);

 private:
  std::string name_ = "nameless";
  List list_;
  int64_t offset_ = 0;
};
absl::StatusOr<std::tuple<List>> Same(int, int, const std::tuple<List>& args, const twinkle::DeviceMesh*) {
  return args;
}
absl::StatusOr<std::string> Text(const List& all_results, const twinkle::DeviceMesh*) {
  return std::to_string(all_results.size()) + " results";
}
TWINKLE_REMOTE_CLASS(Echo, (), (Mixed, Dispatch::kSlice), (OnAll, Dispatch::kAll), (Dp, Dispatch::kSliceDp),
                     (OnFirst, Execute::kFirst), (Summed, twinkle::DispatchBy<&Same>, twinkle::CollectBy<&Text>),
                     (Flattened, Dispatch::kSlice, Collect::kFlatten), (Which), (Remember), (Name), (Held), (Ask),
                     (AskLazy))

int64_t Echo::Ask(const twinkle::Remote<Echo>& other) { return twinkle::tests::Result(other.Which()).at(0); }
int64_t Echo::AskLazy(const Lazy<int64_t>& number) { return twinkle::tests::Result(number); }

}  // namespace ranks

namespace {

using namespace twinkle::tests;
using namespace ranks;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode;

twinkle::Remote<Echo> NewEcho(const std::string& group = "g", int ranks = 3) {
  return Must(twinkle::New<Echo>({.remote_group = group, .device_mesh = Mesh({.dp = ranks})}));
}

TEST_CASE("PerRank gives each rank its element, whatever the dispatch") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 3)});
  auto echo = NewEcho();
  const auto [numbers, lists, texts] =
      Result(echo.Mixed(PerRank(List{7, 8, 9}), PerRank(std::vector<List>{{1, 2, 3, 4}, {}, {5}}), "all"));
  CHECK(numbers == List{7, 8, 9});
  CHECK(lists == std::vector<List>{{1, 2, 3, 4}, {}, {5}});  // whole: nothing is split
  CHECK(texts == std::vector<std::string>(3, "all"));
  const auto [same, sliced, named] =
      Result(echo.Mixed(1, List{1, 2, 3}, PerRank(std::vector<std::string>{"a", "b", "c"})));
  CHECK(same == List{1, 1, 1});
  CHECK(sliced == std::vector<List>{{1}, {2}, {3}});
  CHECK(named == std::vector<std::string>{"a", "b", "c"});
  CHECK(Result(echo.OnAll(PerRank(std::vector<List>{{1}, {2}, {3}}))) == std::vector<List>{{1}, {2}, {3}});
  const std::vector<Tensor> tensors = {TensorOf<float>({1}), TensorOf<float>({2, 3}), TensorOf<float>({})};
  CHECK(Result(echo.Dp(PerRank(tensors))) == tensors);
  // One element for each rank that the call runs on.
  CHECK(Result(echo.OnFirst(PerRank(List{4}))) == List{4});
}

TEST_CASE("PerRank of another length than the ranks is InvalidArgument") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 3)});
  auto echo = NewEcho();
  const auto two = echo.OnAll(PerRank(std::vector<List>{{1}, {2}}));
  CHECK(two.Get().status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(Told(two.Get()), ContainsSubstring("Echo.OnAll") && ContainsSubstring("per_rank_test.cc:") &&
                                  ContainsSubstring("PerRank has 2 elements"));
  CHECK(echo.OnAll(PerRank(std::vector<List>{})).Get().status().code() == absl::StatusCode::kInvalidArgument);
  const auto three = echo.OnAll(PerRank(std::vector<List>{{1}, {2}, {3}}));
  CHECK(three.Get().ok() == (mode == Mode::kInProcess));  // locally it runs on one object
}

TEST_CASE("locally PerRank wants one element") {
  auto session = Begin(Mode::kLocal, {Cpu("g", 3)});
  auto echo = NewEcho();
  CHECK(Result(echo.OnAll(PerRank(std::vector<List>{{1, 2}}))) == std::vector<List>{{1, 2}});
}

TEST_CASE("constructors take PerRank") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("g", 2)});
  using Names = std::vector<std::string>;
  const Names names = local ? Names{"a"} : Names{"a", "b"};
  const std::vector<List> lists = local ? std::vector<List>{{1}} : std::vector<List>{{1}, {2, 3}};
  const twinkle::RemoteOptions where = {.remote_group = "g", .device_mesh = Mesh({.dp = 2})};
  auto named = Must(twinkle::New<Echo>(where, PerRank(names)));
  CHECK(Result(named.Name()) == names);
  auto mixed = Must(twinkle::New<Echo>(where, "all", PerRank(lists), int64_t{5}));
  CHECK(Result(mixed.Name()) == Names(names.size(), "all"));
  CHECK(Result(mixed.Held()) == lists);
  auto wrong = Must(twinkle::New<Echo>(where, PerRank(Names{"a", "b", "c"})));
  const absl::Status ready = wrong.component().WaitReady(absl::Seconds(60));
  CHECK(ready.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(Told(ready), ContainsSubstring("PerRank has 3 elements"));
  CHECK(wrong.Name().Get().status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("PerRank is accepted for handles and lazies too") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2), Cpu("one", 1)});
  using Echoes = twinkle::Remote<Echo>;
  // Asked like this so that the rest of the file compiles where it is not.
  CHECK(std::is_invocable_v<decltype(Echoes::Ask), PerRank<Echoes>>);
  CHECK(std::is_invocable_v<decltype(Echoes::AskLazy), PerRank<Lazy<int64_t>>>);
}

TEST_CASE("Rank(i) calls that rank alone: arguments whole, the result as it is") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 3)});
  auto echo = NewEcho();
  STATIC_REQUIRE(std::is_same_v<decltype(echo.Rank(1).Which()), Lazy<int64_t>>);
  STATIC_REQUIRE(std::is_same_v<decltype(echo.Rank(1).Summed({})), Lazy<int64_t>>);  // not the own collect's
  CHECK(Result(echo.Rank(0).Which()) == 0);
  CHECK(Result(echo.Rank(2).Which()) == 2);
  CHECK(Result(echo.Rank(1).Mixed(1, {1, 2, 3}, "text")) == std::tuple(int64_t{1}, List{1, 2, 3}, std::string("text")));
  CHECK(Result(echo.Rank(1).Dp(TensorOf<float>({1}))) == TensorOf<float>({1}));  // no mesh is looked at
  CHECK(Result(echo.Rank(2).OnFirst(3)) == 3);
  CHECK(Result(echo.Rank(1).Summed({1, 2, 3})) == 6);
  CHECK(Result(echo.Rank(1).Flattened({1, 2})) == List{1, 2});
  const auto one = echo.Rank(1);
  Must(one.Remember("one").Get());
  CHECK(Result(echo.Name()) == std::vector<std::string>{"nameless", "one", "nameless"});
}

TEST_CASE("Rank(i) of a rank that does not exist gives lazies that hold InvalidArgument") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 3)});
  auto echo = NewEcho();
  const int rank = GENERATE(-1, 3, 1000);
  const auto which = echo.Rank(rank).Which();
  CHECK(which.Get().status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(Told(which.Get()), ContainsSubstring("Echo.Which") && ContainsSubstring("per_rank_test.cc:") &&
                                    ContainsSubstring("no rank " + std::to_string(rank)));
  CHECK(echo.Rank(rank).Remember("x").Get().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("locally there is rank 0 alone") {
  auto session = Begin(Mode::kLocal, {Cpu("g", 3)});
  auto echo = NewEcho();
  CHECK(Result(echo.Rank(0).Flattened({1, 2})) == List{1, 2});
  CHECK(Result(echo.Rank(0).Summed({1, 2})) == 3);
  CHECK(echo.Rank(1).Which().Get().status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a call to one rank and calls to all keep their order") {
  auto session = Begin(Mode::kInProcess, {GENERATE(Cpu("g", 3), Devices("g", 3))});
  auto echo = NewEcho();
  for (int round = 0; round < 50; ++round) {
    echo.Remember("all");
    echo.Rank(1).Remember("one");
    const auto before = echo.Name();
    echo.Rank(1).Remember("two");
    const auto after = echo.Rank(1).Name();
    REQUIRE(Result(before) == std::vector<std::string>{"all", "one", "all"});
    REQUIRE(Result(after) == "two");
  }
}

}  // namespace

// Handles as arguments, components made inside workers, calls to the own group and to others.
#include <twinkle/twinkle.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/session.h"

namespace nested {

using twinkle::Collect, twinkle::Dispatch, twinkle::Execute, twinkle::Lazy, twinkle::Remote;
using List = std::vector<int64_t>;

twinkle::tests::Gate called;

class Leaf {
 public:
  explicit Leaf(int64_t base) : base_(base) {}
  // Whose object, in which thread.
  int64_t Where() {
    ++calls_;
    return base_ + twinkle::Context().rank();
  }
  std::string Thread() { return std::to_string(std::hash<std::thread::id>()(std::this_thread::get_id())); }
  int64_t Calls() { return calls_; }
  List Split(const List& list) { return list; }
  std::string Fail() { throw std::runtime_error("leaf fell"); }
  int64_t Twice(const Lazy<int64_t>& number) { return 2 * twinkle::tests::Result(number); }
  void Open() { called.Open(); }

 private:
  const int64_t base_;
  int64_t calls_ = 0;
};
TWINKLE_REMOTE_CLASS(Leaf, (), (Where), (Thread), (Calls), (Split, Dispatch::kSlice, Collect::kFlatten), (Fail),
                     (Twice), (Open))
class FirstLeaf : public Leaf {
 public:
  using Leaf::Leaf;
};
TWINKLE_REMOTE_CLASS(FirstLeaf, (Execute::kFirst), (Where))

class Branch {
 public:
  Branch() = default;
  explicit Branch(Remote<Leaf> leaf) : leaf_(std::move(leaf)) {}
  List Ask(const Remote<Leaf>& leaf) { return twinkle::tests::Result(leaf.Where()); }
  List AskFirst(const Remote<FirstLeaf>& leaf) { return twinkle::tests::Result(leaf.Where()); }
  List AskOwn() { return twinkle::tests::Result(leaf_.Where()); }
  bool SameThread(const Remote<Leaf>& leaf) {
    const std::string mine = std::to_string(std::hash<std::thread::id>()(std::this_thread::get_id()));
    return twinkle::tests::Result(leaf.Thread()) == std::vector<std::string>{mine};
  }
  List Split(const Remote<Leaf>& leaf, const List& list) { return twinkle::tests::Result(leaf.Split(list)); }
  std::string Failing(const Remote<Leaf>& leaf) { return twinkle::tests::Told(leaf.Fail().Get()); }
  List OneRank(const Remote<Leaf>& leaf, int rank) { return {twinkle::tests::Result(leaf.Rank(rank).Where())}; }
  List PassLazy(const Remote<Leaf>& leaf) {
    const auto made = twinkle::Put(int64_t{21});
    return twinkle::tests::Result(leaf.Twice(made));
  }
  // Makes a component: of the own group, of another, or of no group.
  List Make(const std::string& group) {
    auto leaf = twinkle::tests::Must(twinkle::New<Leaf>({.remote_group = group}, int64_t{100}));
    List result = twinkle::tests::Result(leaf.Where());
    result.push_back(leaf.component().world_size());
    return result;
  }
  // In a thread of its own, after the method has returned.
  void AskLater(const Remote<Leaf>& leaf) {
    std::thread([leaf] { leaf.Open(); }).detach();
  }
  int64_t Recurse(const Remote<Branch>& self, int64_t depth);
  std::vector<std::string> Kinds(const Remote<Leaf>& leaf) {
    return {leaf.component().group(), leaf.component().name(), std::to_string(leaf.component().world_size())};
  }

 private:
  Remote<Leaf> leaf_;
};
TWINKLE_REMOTE_CLASS(Branch, (), (Ask), (AskFirst), (AskOwn), (SameThread), (Split, Dispatch::kAll), (Failing),
                     (OneRank), (PassLazy), (Make), (AskLater), (Recurse), (Kinds))
int64_t Branch::Recurse(const Remote<Branch>& self, int64_t depth) {
  return depth == 0 ? 0 : 1 + twinkle::tests::Result(self.Recurse(self, depth - 1)).at(0);
}

// Calls that run on the caller's share of the ranks.
class Peer {
 public:
  int64_t Where() { return twinkle::Context().rank(); }
  List Split(const List& list) { return list; }
};
TWINKLE_REMOTE_CLASS(Peer, (), (Where, Execute::kPeer), (Split, Execute::kPeer, Dispatch::kSlice, Collect::kNone))
class PeerClass {
 public:
  int64_t Where() { return twinkle::Context().rank(); }
};
TWINKLE_REMOTE_CLASS(PeerClass, (Execute::kPeer), (Where))
class PeerCaller {
 public:
  List Ask(const Remote<Peer>& peer) { return twinkle::tests::Result(peer.Where()); }
  std::vector<List> Split(const Remote<Peer>& peer) { return twinkle::tests::Result(peer.Split({1, 2, 3})); }
  List Make(const std::string& group) {
    auto peers = twinkle::tests::Must(twinkle::New<PeerClass>({.remote_group = group}));
    List ranks = twinkle::tests::Result(peers.Where());
    ranks.push_back(twinkle::tests::Result(peers.Rank(0).Where()));
    ranks.push_back(peers.component().world_size());
    return ranks;
  }
};
TWINKLE_REMOTE_CLASS(PeerCaller, (), (Ask), (Split), (Make))

}  // namespace nested

namespace {

using namespace twinkle::tests;
using namespace nested;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::New;
using Lists = std::vector<List>;

TEST_CASE("a handle to another group's component calls all of its ranks") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("g", 2), Cpu("h", 3)});
  auto leaf = Must(New<Leaf>({.remote_group = "h", .name = "leaf"}, int64_t{10}));
  auto branch = Must(New<Branch>({.remote_group = "g"}));
  const List all = local ? List{10} : List{10, 11, 12};
  const size_t callers = local ? 1 : 2;
  CHECK(Result(branch.Ask(leaf)) == Lists(callers, all));
  CHECK(Result(leaf.Calls()) == List(all.size(), static_cast<int64_t>(callers)));
  CHECK(Result(branch.Split(leaf, {1, 2, 3, 4})) == Lists(callers, {1, 2, 3, 4}));
  CHECK(Result(branch.PassLazy(leaf)) == Lists(callers, List(all.size(), 42)));
  CHECK(Result(branch.Kinds(leaf)).front() == std::vector<std::string>{"h", "leaf", std::to_string(all.size())});
  CHECK_THAT(Result(branch.Failing(leaf)).back(), ContainsSubstring("Leaf.Fail failed") &&
                                                      ContainsSubstring("nested_test.cc:") &&
                                                      ContainsSubstring("leaf fell"));
  auto holder = Must(New<Branch>({.remote_group = "g"}, leaf));
  CHECK(Result(holder.AskOwn()) == Lists(callers, all));
  CHECK(Told(session.Finish()) == "OK");  // the methods looked at the failures
}

TEST_CASE("one rank of another group's component can be called from inside") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2), Cpu("h", 3)});
  auto leaf = Must(New<Leaf>({.remote_group = "h"}, int64_t{10}));
  auto branch = Must(New<Branch>({.remote_group = "g"}));
  CHECK(Result(branch.OneRank(leaf, 2)) == Lists(2, {12}));
}

TEST_CASE("a handle to the own group's component means this rank's object") {
  auto session = Begin(Mode::kInProcess, {GENERATE(Cpu("g", 3), Devices("g", 3))});
  auto leaf = Must(New<Leaf>({.remote_group = "g"}, int64_t{10}));
  auto first = Must(New<FirstLeaf>({.remote_group = "g"}, int64_t{20}));
  // In a CPU group every object has its own thread: the call queues there, and is waited for.
  auto branch = Must(New<Branch>({.remote_group = "g"}));
  CHECK(Result(branch.Ask(leaf)) == Lists{{10}, {11}, {12}});
  CHECK(Result(leaf.Calls()) == List{1, 1, 1});
  CHECK(Result(branch.Failing(leaf)).size() == 3);
  CHECK(Result(branch.Split(leaf, {1, 2, 3})) == Lists(3, {1, 2, 3}));
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("where this rank has no object, the handle means the one that exists") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 3)});
  auto first = Must(New<FirstLeaf>({.remote_group = "g"}, int64_t{20}));
  auto branch = Must(New<Branch>({.remote_group = "g"}));
  CHECK(Result(branch.AskFirst(first)) == Lists(3, {20}));
}

TEST_CASE("a handle works right after New, and means this rank's object then too") {
  auto session = Begin(Mode::kInProcess, {GENERATE(Cpu("g", 3), Devices("g", 3))});
  auto branch = Must(New<Branch>({.remote_group = "g"}));
  Must(branch.component().WaitReady(absl::Seconds(60)));
  for (int round = 0; round < 100; ++round) {
    auto leaf = Must(New<Leaf>({.remote_group = "g"}, int64_t{10}));
    REQUIRE(Result(branch.Ask(leaf)) == Lists{{10}, {11}, {12}});
    Must(leaf.component().Release());
  }
}

TEST_CASE("on its own lane a call runs inline, in the same thread") {
  const bool devices = GENERATE(true, false);
  auto session = Begin(Mode::kInProcess, {devices ? Devices("g", 2) : Cpu("g", 2)});
  auto leaf = Must(New<Leaf>({.remote_group = "g"}, int64_t{10}));
  auto branch = Must(New<Branch>({.remote_group = "g"}));
  CHECK(Result(branch.SameThread(leaf)) == std::vector<bool>(2, devices));
  CHECK(Result(branch.Recurse(branch, 5)) == List{5, 5});  // to the very object that calls
}

TEST_CASE("locally objects call each other in one thread") {
  auto session = Begin(Mode::kLocal, {Cpu("g", 2)});
  auto leaf = Must(New<Leaf>({.remote_group = "g"}, int64_t{10}));
  auto branch = Must(New<Branch>({.remote_group = "g"}));
  CHECK(Result(branch.SameThread(leaf)) == std::vector<bool>{true});
  CHECK(Result(branch.Recurse(branch, 5)) == List{5});
}

TEST_CASE("from a thread that a method started a call queues") {
  auto session = Begin(Mode::kInProcess, {GENERATE(Cpu("g", 2), Devices("g", 2))});
  called.Close();
  auto leaf = Must(New<Leaf>({.remote_group = "g"}, int64_t{10}));
  auto branch = Must(New<Branch>({.remote_group = "g"}));
  Must(branch.Rank(0).AskLater(leaf).Get());  // a second call might come after the end
  called.Wait();
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("components made inside a worker: its own group's is an object there") {
  auto session = Begin(Mode::kInProcess, {GENERATE(Cpu("g", 2), Devices("g", 2)), Cpu("h", 3)});
  auto branch = Must(New<Branch>({.remote_group = "g"}));
  CHECK(Result(branch.Make("g")) == Lists{{100, 1}, {101, 1}});
  CHECK(Result(branch.Make("")) == Lists{{100, 1}, {101, 1}});
  CHECK(Result(branch.Make("h")) == Lists(2, {100, 101, 102, 3}));
  const auto unknown = branch.Make("unknown");
  CHECK_THAT(Told(unknown.Get()), ContainsSubstring("INVALID_ARGUMENT") && ContainsSubstring("unknown"));
}

TEST_CASE("kPeer calls from a group run on the caller's share of the ranks") {
  const auto [callers, peers, expected] = GENERATE(table<int, int, Lists>({
      {1, 3, {{0, 1, 2}}},
      {2, 4, {{0, 1}, {2, 3}}},
      {2, 3, {{0, 1}, {2}}},
      {3, 3, {{0}, {1}, {2}}},
      {4, 2, {{0}, {1}, {0}, {1}}},
  }));
  CAPTURE(callers, peers);
  auto session =
      Begin(Mode::kInProcess, {Cpu("callers", callers), GENERATE_COPY(Cpu("peers", peers), Devices("peers", peers))});
  auto caller = Must(New<PeerCaller>({.remote_group = "callers"}));
  auto peer = Must(New<Peer>({.remote_group = "peers"}));
  for (int round = 0; round < 5; ++round) CHECK(Result(caller.Ask(peer)) == expected);
  // Arguments are split over just those ranks.
  for (const Lists& split : Result(caller.Split(peer))) {
    List joined;
    for (const List& part : split) joined.insert(joined.end(), part.begin(), part.end());
    CHECK(joined == List{1, 2, 3});
  }
  // A kPeer class is made on that share, renumbered from 0.
  Lists made = expected;
  for (List& ranks : made) {
    const auto count = static_cast<int64_t>(ranks.size());
    ranks.insert(ranks.end(), {ranks[0], count});
  }
  CHECK(Result(caller.Make("peers")) == made);
}

TEST_CASE("many callers on one group: every call runs once on every rank, in one order") {
  auto session = Begin(Mode::kInProcess, {Cpu("a", 3), Cpu("b", 2), GENERATE(Cpu("c", 3), Devices("c", 3))});
  auto leaf = Must(New<Leaf>({.remote_group = "c"}, int64_t{0}));
  auto one = Must(New<Branch>({.remote_group = "a"}));
  auto two = Must(New<Branch>({.remote_group = "b"}));
  std::vector<Lazy<Lists>> asked;
  for (int round = 0; round < 40; ++round) {
    asked.push_back(one.Ask(leaf));
    asked.push_back(two.Ask(leaf));
    leaf.Where();
  }
  for (const auto& lazy : asked) REQUIRE(Result(lazy).front() == List{0, 1, 2});
  CHECK(Result(leaf.Calls()) == List(3, 40 * 6));
}

}  // namespace

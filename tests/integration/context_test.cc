// What code that runs inside a call can learn of where it is.
#include <twinkle/twinkle.h>

#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/session.h"

namespace where {

using twinkle::Collect, twinkle::Execute;

struct Facts {
  int rank = -1;
  int world_size = 0;
  std::string group = {};
  uint64_t seed = 0;
  std::vector<int> devices = {};
  std::optional<std::vector<int>> mesh_shape = {};
  bool cancelled = true;
  bool operator==(const Facts&) const = default;
};

Facts FactsHere() {
  const twinkle::RankContext context = twinkle::Context();
  Facts facts = {.rank = context.rank(),
                 .world_size = context.world_size(),
                 .group = context.group(),
                 .seed = context.seed(),
                 .devices = context.devices(),
                 .mesh_shape = std::nullopt,
                 .cancelled = context.Cancelled()};
  if (context.device_mesh()) facts.mesh_shape = context.device_mesh()->shape();
  return facts;
}

class Asker {
 public:
  Asker() : constructed_(FactsHere()) {}
  Facts InMethod() { return FactsHere(); }
  Facts InConstructor() { return constructed_; }
  // Of a thread of its own: the program's, unless it was given the method's.
  Facts InThread() {
    Facts facts;
    std::thread([&] { facts = FactsHere(); }).join();
    return facts;
  }
  absl::StatusOr<std::string> Address() { return twinkle::Context().Rendezvous(); }
  Facts Nested(const twinkle::Remote<Asker>& other);

 private:
  const Facts constructed_;
};
TWINKLE_REMOTE_CLASS(Asker, (), (InMethod), (InConstructor), (InThread), (Address), (Nested))
Facts Asker::Nested(const twinkle::Remote<Asker>& other) {
  twinkle::tests::Result(other.InMethod());
  return FactsHere();
}

class OnFirst {
 public:
  Facts InMethod() { return FactsHere(); }
  absl::StatusOr<std::string> Address() { return twinkle::Context().Rendezvous(); }
};
TWINKLE_REMOTE_CLASS(OnFirst, (Execute::kFirst), (InMethod), (Address))

}  // namespace where

namespace {

using namespace twinkle::tests;
using namespace where;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::New;

std::vector<Facts> Expected(int count, const Facts& like) {
  std::vector<Facts> all(static_cast<size_t>(count), like);
  for (int rank = 0; rank < count; ++rank) all[static_cast<size_t>(rank)].rank = rank;
  return all;
}

TEST_CASE("in the program the context is rank 0 of 1") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin({.mode = mode, .groups = {Cpu("g", 2)}, .device_mesh = Mesh({.dp = 2}), .seed = 7});
  CHECK(FactsHere() ==
        Facts{.rank = 0, .world_size = 1, .seed = 7, .mesh_shape = std::vector<int>{2}, .cancelled = false});
  CHECK(twinkle::Context().Rendezvous().status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("in methods and constructors the context is that of their rank") {
  auto session = Begin({.mode = Mode::kInProcess, .groups = {Cpu("g", 3)}, .seed = 7});
  auto asker = Must(New<Asker>({.remote_group = "g", .device_mesh = Mesh({.dp = 3, .tp = 1})}));
  const Facts like = {
      .world_size = 3, .group = "g", .seed = 7, .mesh_shape = std::vector<int>{3, 1}, .cancelled = false};
  CHECK(Result(asker.InMethod()) == Expected(3, like));
  CHECK(Result(asker.InConstructor()) == Expected(3, like));
  CHECK(Result(asker.Rank(2).InMethod()).rank == 2);
  CHECK(Result(asker.Nested(asker)) == Expected(3, like));
  CHECK(Result(asker.InThread()).front().rank == 0);
}

TEST_CASE("a kFirst class sees its group") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 3)});
  auto first = Must(New<OnFirst>({.remote_group = "g"}));
  CHECK(Result(first.InMethod()) ==
        Expected(1, {.world_size = 3, .group = "g", .seed = 42, .mesh_shape = std::nullopt, .cancelled = false}));
}

TEST_CASE("the mesh is the component's, else the session's") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin({.mode = mode, .groups = {Cpu("g", 2)}, .device_mesh = Mesh({.dp = 2})});
  auto own = Must(New<Asker>({.remote_group = "g", .device_mesh = Mesh({.dp = 1, .tp = 2})}));
  auto sessions = Must(New<Asker>({.remote_group = "g"}));
  auto here = Must(New<Asker>({}));
  CHECK(Result(own.InMethod()).front().mesh_shape == std::vector<int>{1, 2});
  CHECK(Result(sessions.InMethod()).front().mesh_shape == std::vector<int>{2});
  CHECK(Result(here.InMethod()).front().mesh_shape == std::vector<int>{2});
}

TEST_CASE("device indexes are counted over the groups, in the order of their declaration") {
  twinkle::DeviceGroup two_each = Devices("b", 4);
  two_each.devices_per_worker = 2;
  twinkle::DeviceGroup shares = Devices("d", 2);
  shares.shares_devices_with = "b";
  twinkle::DeviceGroup listed = {.name = "e", .ranks = {9, 8}, .device_type = "cuda"};
  auto session = Begin(Mode::kInProcess, {Devices("a", 2), two_each, Cpu("c", 2), shares, listed});
  const auto devices = [](const std::string& group) {
    std::vector<std::vector<int>> all;
    for (const Facts& facts : Result(Must(New<Asker>({.remote_group = group})).InMethod()))
      all.push_back(facts.devices);
    return all;
  };
  CHECK(devices("a") == std::vector<std::vector<int>>{{0}, {1}});
  CHECK(devices("b") == std::vector<std::vector<int>>{{2, 3}, {4, 5}});
  CHECK(devices("c") == std::vector<std::vector<int>>{{}, {}});
  CHECK(devices("d") == std::vector<std::vector<int>>{{2}, {3}});
  CHECK(devices("e") == std::vector<std::vector<int>>{{9}, {8}});
  const std::string drawn = twinkle::DevicePlacement();
  for (const char* part : {"a", "b", "c", "d", "e", "cuda:0", "cuda:5", "cuda:9"}) {
    CHECK_THAT(drawn, ContainsSubstring(part));
  }
}

TEST_CASE("Rendezvous is the same on every rank, and another for each component") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 3), Devices("h", 2)});
  std::set<std::string> seen;
  for (const char* group : {"g", "h"}) {
    auto asker = Must(New<Asker>({.remote_group = group}));
    const auto addresses = Result(asker.Address());
    CHECK(std::set<std::string>(addresses.begin(), addresses.end()).size() == 1);
    CHECK(Result(asker.Address()) == addresses);  // it stays
    const size_t colon = addresses[0].rfind(':');
    REQUIRE(colon != std::string::npos);
    const int port = std::stoi(addresses[0].substr(colon + 1));
    CHECK((port > 0 && port < 65536));
    CHECK(seen.insert(addresses[0]).second);
  }
}

TEST_CASE("no two components of a session have one rendezvous") {
  auto session = Begin(Mode::kInProcess, {Devices("g", 1)});
  std::set<std::string> seen;
  std::vector<twinkle::Lazy<std::vector<std::string>>> asked;
  for (int i = 0; i < 300; ++i) asked.push_back(Must(New<Asker>({.remote_group = "g"})).Address());
  for (const auto& lazy : asked) seen.insert(Result(lazy).front());
  CHECK(seen.size() == asked.size());
}

TEST_CASE("locally a component's rendezvous is there too") {
  auto session = Begin(Mode::kLocal, {Cpu("g", 3)});
  auto one = Must(New<Asker>({.remote_group = "g"}));
  auto two = Must(New<OnFirst>({.remote_group = "g"}));
  CHECK(Told(one.Address().Get()) == "OK");
  CHECK(Told(two.Address().Get()) == "OK");
  if (!one.Address().Get().ok() || !two.Address().Get().ok()) return;
  CHECK(Result(one.Address()) == Result(one.Address()));
  CHECK(Result(one.Address()) != Result(two.Address()));
}

TEST_CASE("locally methods see the program's rank") {
  auto session = Begin({.mode = Mode::kLocal, .groups = {Cpu("g", 3)}, .seed = 7});
  auto asker = Must(New<Asker>({.remote_group = "g"}));
  const auto facts = Result(asker.InMethod());
  REQUIRE(facts.size() == 1);
  CHECK(facts[0].rank == 0);
  CHECK(facts[0].world_size == 1);
  CHECK(facts[0].seed == 7);
  CHECK_FALSE(facts[0].cancelled);
}

}  // namespace

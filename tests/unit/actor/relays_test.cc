#include "runtime/actor/relays.h"

#include <twinkle/twinkle.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/actor/in_process_placement.h"
#include "tests/support/catch.h"
#include "tests/support/random.h"
#include "tests/support/stepped_job.h"

namespace twinkle::actor {
namespace {

using rpc::ProcessId;

codec::Encoded Part(const std::string& head) { return {head, {}}; }

// What a reader was told, or "".
struct Told {
  std::string text;
  Relays::Got Take() {
    return [this](const absl::StatusOr<codec::Encoded>& part) {
      text = part.ok() ? part->head : std::string(part.status().message());
    };
  }
};

void Lose(LostPeers& lost, Relays& relays, ProcessId peer) {
  lost.Add(peer, absl::UnavailableError("killed"));
  relays.OnLost(peer, absl::UnavailableError("killed"));
}

// ---- what passes through one process
TEST_CASE("a part is kept until this process and all readers have had it, whoever comes first (RE1, RE3)") {
  LostPeers lost;
  Relays relays(1, &lost);
  const RelayKey key{9, 5};
  Told early, own, late;
  relays.Read(key, 2, early.Take());  // the call has not come yet
  CHECK(relays.Expect(key, {2, 3}));
  CHECK_FALSE(relays.Expect(key, {2, 3}));
  relays.Read(key, 1, own.Take());
  CHECK(own.text.empty());
  relays.Arrived(key, Part("rows"));
  CHECK(early.text == "rows");
  CHECK(own.text == "rows");
  CHECK(relays.size() == 1);
  relays.Read(key, 3, late.Take());
  CHECK(late.text == "rows");
  CHECK(relays.size() == 0);
}

TEST_CASE("readers hear why a part did not come (RE2)") {
  LostPeers lost;
  Relays relays(1, &lost);
  Told told;
  relays.Expect({9, 5}, {2});
  relays.Read({9, 5}, 2, told.Take());
  relays.Arrived({9, 5}, absl::DataLossError("its owner is gone"));
  CHECK(told.text == "its owner is gone");
  relays.Drop({9, 5});
  CHECK(relays.size() == 0);
}

TEST_CASE("a part is not kept for readers that are lost, before or after (RE1)") {
  LostPeers lost;
  Relays relays(1, &lost);
  Lose(lost, relays, 2);
  relays.Expect({9, 5}, {2, 3});
  relays.Arrived({9, 5}, Part("rows"));
  Told own;
  relays.Read({9, 5}, 1, own.Take());
  CHECK(relays.size() == 1);
  Lose(lost, relays, 3);
  CHECK(relays.size() == 0);
}

TEST_CASE("readers of a call that never comes hear that its caller is gone (RE2)") {
  LostPeers lost;
  Relays relays(1, &lost);
  Told before, after;
  relays.Read({9, 5}, 2, before.Take());
  Lose(lost, relays, 9);
  CHECK(before.text == "its caller is gone: killed");
  relays.Read({9, 6}, 2, after.Take());
  CHECK_FALSE(after.text.empty());
  CHECK(relays.size() == 0);
}

TEST_CASE("a call that ends without having read its part leaves nothing (RE1)") {
  LostPeers lost;
  Relays relays(1, &lost);
  relays.Expect({9, 5}, {});
  relays.Drop({9, 5});
  relays.Arrived({9, 5}, Part("rows"));
  CHECK(relays.size() == 0);
}

TEST_CASE("what nobody asked for after its caller was lost is forgotten") {
  LostPeers lost;
  Relays relays(1, &lost);
  relays.Expect({9, 5}, {2});
  relays.Arrived({9, 5}, Part("rows"));
  Lose(lost, relays, 9);
  CHECK(relays.size() == 1);  // rank 2 may have the call
  lost.Forget(9);
  relays.ForgetCaller(9);
  CHECK(relays.size() == 0);
}

// ---- the plan
TEST_CASE("each machine is sent a piece once, over a tree whose depth and width grow with the logarithm") {
  const uint64_t seed = tests::Seed();
  tests::Random random(seed);
  for (int round = 0; round < 200; ++round) {
    INFO("TWINKLE_TEST_SEED=" << seed << ", round " << round);
    const size_t count = 2 + tests::Below(random, 40);
    const uint64_t machine_count = 1 + tests::Below(random, 12);
    std::map<ProcessId, uint64_t> machines = {{1000, 1}};  // of the owner
    std::vector<ProcessId> workers;
    std::vector<std::vector<WireArgument>> parts;
    for (size_t i = 0; i < count; ++i) {
      workers.push_back(i + 1);
      machines[i + 1] = tests::Below(random, machine_count + 1);  // 0: not known
      PlannedArgument argument;
      argument.pieces.push_back({{1000, 7}, std::nullopt});
      parts.push_back({argument});
    }
    uint64_t next = 1;
    const InProcessPlacement placement("", [&](ProcessId process) { return machines[process]; });
    PlanRelays(workers, placement, &next, parts);

    std::map<ProcessId, const WirePiece*> piece_of;
    for (size_t i = 0; i < count; ++i) piece_of[workers[i]] = &std::get<PlannedArgument>(parts[i][0]).pieces[0];
    std::map<uint64_t, int> arrivals;  // from other machines
    std::map<ProcessId, std::set<ProcessId>> readers;
    for (const auto& [worker, piece] : piece_of) {
      if (!piece->relay) {
        if (machines[worker] != 0 && machines[worker] != 1) ++arrivals[machines[worker]];
        continue;
      }
      CHECK(machines[worker] > 1);
      if (machines[piece->relay->from] != machines[worker]) ++arrivals[machines[worker]];
      readers[piece->relay->from].insert(worker);
      int depth = 0;
      for (ProcessId at = worker; at != 1000; at = piece_of[at]->relay->from) REQUIRE(++depth < 7);
    }
    for (const auto& [machine, times] : arrivals) CHECK(times == 1);
    for (const auto& [worker, piece] : piece_of) {
      if (!piece->relay) continue;
      const auto& told = piece->relay->readers;
      CHECK(std::set<ProcessId>(told.begin(), told.end()) == readers[worker]);
    }
    size_t far = 0;
    for (ProcessId reader : readers[1000]) far += piece_of.count(reader);
    CHECK(far <= 4);  // of at most 11 machines
  }
}

TEST_CASE("different rows of an object are not confused, and what one rank alone reads is not passed on") {
  std::vector<std::vector<WireArgument>> parts;
  for (int64_t i = 0; i < 4; ++i) {
    PlannedArgument argument;
    argument.pieces.push_back({{1000, 7}, std::vector<codec::Range>{{i / 2, i / 2 + 1}}});
    argument.pieces.push_back({{1000, 8}, std::vector<codec::Range>{{i, i + 1}}});
    parts.push_back({argument});
  }
  const std::vector<ProcessId> workers = {1, 2, 3, 4};
  uint64_t next = 1;
  const InProcessPlacement placement("", [](ProcessId process) { return process == 1000 ? 1 : 2; });
  PlanRelays(workers, placement, &next, parts);
  const auto piece = [&](size_t i, size_t j) { return std::get<PlannedArgument>(parts[i][0]).pieces[j]; };
  REQUIRE(piece(0, 0).relay);
  REQUIRE(piece(3, 0).relay);
  CHECK(piece(0, 0).relay->readers == std::vector<ProcessId>{2});
  CHECK(piece(1, 0).relay->from == 1);
  CHECK(piece(3, 0).relay->from == 3);
  CHECK(piece(0, 0).relay->number != piece(2, 0).relay->number);
  for (size_t i = 0; i < 4; ++i) CHECK_FALSE(piece(i, 1).relay);
}

// ---- whole jobs
class Model {
 public:
  double Load(const std::vector<double>& weights, double scale) {
    double sum = 0;
    for (double weight : weights) sum += weight * scale;
    return sum;
  }
  std::vector<double> Make(int64_t count) { return std::vector<double>(static_cast<size_t>(count), 1); }
};
TWINKLE_REMOTE_CLASS(Model, (), (Load, Dispatch::kAll), (Make, Collect::kFlatten))

// The program and ranks 0 and 1 on machine 1, ranks 2 to 4 on 2, 5 and 6 on 3, 7 on 4.
actor::InProcessOptions FourMachines() {
  actor::InProcessOptions options;
  options.groups = {{.name = "models", .ranks = 8, .device_type = "cpu"},
                    {.name = "makers", .ranks = 2, .device_type = "cpu"}};
  options.machine_of = [](ProcessId process) -> uint64_t {
    return process <= 2 ? 1 : process <= 5 ? 2 : process <= 7 ? 3 : process == 8 ? 4 : 5;
  };
  return options;
}

uint64_t NetworkBytes(const tests::InstalledJob& job, int rank) {
  return job.process("models", rank).traffic().pulled_from_network;
}

TEST_CASE("a large value for all ranks, and a result for all ranks, come to each machine once") {
  constexpr size_t kCount = 100'000;
  constexpr uint64_t kBytes = kCount * sizeof(double);
  const tests::InstalledJob job(FourMachines());
  const auto model = New<Model>({.remote_group = "models"});
  const auto maker = New<Model>({.remote_group = "makers"});
  REQUIRE(model.ok());
  REQUIRE(maker.ok());
  SECTION("a value") {
    const auto sums = model->Load(std::vector<double>(kCount, 1), 2);
    REQUIRE(sums.Get().ok());
    CHECK(*sums.Get() == std::vector<double>(8, 2 * kCount));
  }
  SECTION("a value that was Put") {
    const auto sums = model->Load(Put(std::vector<double>(kCount, 1)), 2);
    REQUIRE(sums.Get().ok());
    CHECK(*sums.Get() == std::vector<double>(8, 2 * kCount));
  }
  SECTION("a result of two ranks of a fifth machine") {
    const auto sums = model->Load(maker->Make(kCount / 2), 2);
    REQUIRE(sums.Get().ok());
    CHECK(*sums.Get() == std::vector<double>(8, 2 * kCount));
    CHECK(NetworkBytes(job, 0) >= kBytes);
    CHECK(NetworkBytes(job, 0) < kBytes + 1000);
  }
  for (int first : {2, 5, 7}) {
    CHECK(NetworkBytes(job, first) >= kBytes);
    CHECK(NetworkBytes(job, first) < kBytes + 1000);
  }
  for (int other : {1, 3, 4, 6}) CHECK(NetworkBytes(job, other) == 0);
}

}  // namespace
}  // namespace twinkle::actor

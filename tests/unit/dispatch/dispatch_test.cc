#include "runtime/dispatch/dispatch.h"

#include <absl/strings/match.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/dispatch/collect.h"
#include "runtime/dispatch/collect_rules.h"
#include "tests/support/catch.h"

namespace twinkle::dispatch {
namespace {

using base::ReasonOf;
using codec::Range;
using codec::RowNode;
using codec::Rows;
using internal::kType;
using Ints = std::vector<int>;

using Kind = RowNode::Kind;
RowNode Leaf(Kind kind, const std::string& key, int64_t rows) { return {kind, key, rows, 0}; }
RowNode Tree(const std::string& key, uint32_t children) { return {Kind::kTree, key, -1, children}; }
RowNode Whole(const std::string& key) { return {Kind::kWhole, key, -1, 0}; }

Rows ListRows(int64_t rows) { return {Leaf(Kind::kList, "", rows)}; }
Rows TensorRows(int64_t rows) { return {Leaf(Kind::kTensor, "", rows)}; }
Rows WholeRows() { return {Whole("")}; }
Rows DictRows() {  // {"a": {"b": a list of 4, "c": whole}, "d": a tensor of 2}
  return {Tree("", 2), Tree("a", 2), Leaf(Kind::kList, "b", 4), Whole("c"), Leaf(Kind::kTensor, "d", 2)};
}

Part Of(std::vector<Range> ranges) { return {.whole = false, .ranges = std::move(ranges)}; }
const Part kAllOfIt;

Plan MustPlan(Dispatch policy, int workers, const DeviceMesh* mesh, std::vector<Rows> arguments) {
  absl::StatusOr<Plan> plan = PlanDispatch(policy, workers, mesh, arguments);
  INFO(plan.status());
  REQUIRE(plan.ok());
  return *std::move(plan);
}
absl::Status Refusal(Dispatch policy, int workers, const DeviceMesh* mesh, std::vector<Rows> arguments) {
  return PlanDispatch(policy, workers, mesh, arguments).status();
}

TEST_CASE("policies are found by the reference's names, which are case sensitive") {
  CHECK(*DispatchNamed("slice") == Dispatch::kSlice);
  CHECK(*DispatchNamed("all") == Dispatch::kAll);
  CHECK(*DispatchNamed("slice_dp") == Dispatch::kSliceDp);
  CHECK(ReasonOf(DispatchNamed("Slice").status()) == "unsupported_dispatch");
  CHECK(ReasonOf(DispatchNamed("").status()) == "unsupported_dispatch");
  CHECK(*ExecuteNamed("first") == Execute::kFirst);
  CHECK(ReasonOf(ExecuteNamed("last").status()) == "unsupported_execute");
}

TEST_CASE("executing workers") {
  CHECK(*ExecutingWorkers(Execute::kAll, 3, {}) == Ints{0, 1, 2});
  CHECK(*ExecutingWorkers(Execute::kFirst, 3, {}) == Ints{0});
  CHECK(*ExecutingWorkers(Execute::kPeer, 3, {}) == Ints{0, 1, 2});
  CHECK(*ExecutingWorkers(Execute::kPeer, 5, {1, 2}) == Ints{3, 4});
  CHECK(*ExecutingWorkers(Execute::kPeer, 2, {3, 4}) == Ints{1});
  for (Execute execute : {Execute::kAll, Execute::kFirst, Execute::kPeer}) {
    CHECK(ReasonOf(ExecutingWorkers(execute, 0, {}).status()) == "no_workers");
  }
  CHECK(absl::IsInvalidArgument(ExecutingWorkers(Execute::kPeer, 4, {2, 2}).status()));
}

TEST_CASE("slice splits outer lists and nothing else") {
  const Plan plan =
      MustPlan(Dispatch::kSlice, 3, nullptr, {ListRows(7), ListRows(2), TensorRows(6), DictRows(), WholeRows()});
  REQUIRE(plan.size() == 3);
  CHECK(plan[0] == std::vector{Of({{0, 3}}), Of({{0, 1}}), kAllOfIt, kAllOfIt, kAllOfIt});
  CHECK(plan[1] == std::vector{Of({{3, 5}}), Of({{1, 2}}), kAllOfIt, kAllOfIt, kAllOfIt});
  CHECK(plan[2] == std::vector{Of({{5, 7}}), Of({{2, 2}}), kAllOfIt, kAllOfIt, kAllOfIt});
}

TEST_CASE("what covers everything is whole") {
  CHECK(MustPlan(Dispatch::kSlice, 1, nullptr, {ListRows(7)}) == WholePlan(1, 1));
  CHECK(MustPlan(Dispatch::kSlice, 3, nullptr, {ListRows(0)}) == WholePlan(3, 1));
  CHECK(MustPlan(Dispatch::kAll, 3, nullptr, {ListRows(7)}) == WholePlan(3, 1));
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.tp = 4});
  CHECK(MustPlan(Dispatch::kSliceDp, 4, &mesh, {ListRows(1), TensorRows(2)}) == WholePlan(4, 2));
}

TEST_CASE("slice_dp splits lists and tensors at any depth of dicts, by data rank") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.dp = 2, .tp = 2});
  const Plan plan = MustPlan(Dispatch::kSliceDp, 4, &mesh, {DictRows(), WholeRows(), ListRows(3)});
  REQUIRE(plan.size() == 4);
  CHECK(plan[0] == std::vector{Of({{0, 2}, {0, 1}}), kAllOfIt, Of({{0, 2}})});
  CHECK(plan[2] == std::vector{Of({{2, 4}, {1, 2}}), kAllOfIt, Of({{2, 3}})});
  CHECK(plan[1] == plan[0]);
  CHECK(plan[3] == plan[2]);
}

TEST_CASE("slice_dp needs a mesh, but looks at it only when there is something to split") {
  CHECK(ReasonOf(Refusal(Dispatch::kSliceDp, 3, nullptr, {})) == "mesh_required");
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.dp = 2});
  CHECK(MustPlan(Dispatch::kSliceDp, 3, &mesh, {WholeRows()}) == WholePlan(3, 1));
  CHECK(ReasonOf(Refusal(Dispatch::kSliceDp, 3, &mesh, {WholeRows(), ListRows(0)})) == "mesh_worker_mismatch");
}

TEST_CASE("no workers is the first complaint") {
  CHECK(ReasonOf(Refusal(Dispatch::kSlice, 0, nullptr, {})) == "no_workers");
  CHECK(ReasonOf(Refusal(Dispatch::kSliceDp, 0, nullptr, {ListRows(1)})) == "no_workers");
}

TEST_CASE("a batch with too few rows for some data ranks says which and how many") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.dp = 3});
  const absl::Status status = Refusal(Dispatch::kSliceDp, 3, &mesh, {ListRows(3), DictRows()});
  CHECK(ReasonOf(status) == "batch_too_small");
  CHECK(absl::StrContains(status.message(), "argument 2, at 'd', has 2 rows, but at least 3"));
  const Rows member = {Tree("", 2), Whole(""), Leaf(Kind::kList, "", 1)};
  const absl::Status nameless = Refusal(Dispatch::kSliceDp, 3, &mesh, {member});
  CHECK(absl::StrContains(nameless.message(), "argument 1, at '#2', has 1 row,"));
  CHECK(MustPlan(Dispatch::kSliceDp, 3, &mesh, {ListRows(0), TensorRows(0)}) == WholePlan(3, 2));
}

// ---- slicing and joining are inverse
using Random = std::mt19937_64;

uint64_t Seed() {
  const char* given = std::getenv("TWINKLE_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}
int Below(Random& random, int limit) { return static_cast<int>(random() % limit); }

DeviceMesh RandomMesh(Random& random) {
  MeshSizes sizes{
      .fsdp = 1 + Below(random, 3), .pp = 1 + Below(random, 2), .dp = 1 + Below(random, 4), .tp = 1 + Below(random, 2)};
  if (Below(random, 3) == 0) sizes.ulysses = *sizes.dp;
  return *DeviceMesh::FromSizes(sizes);
}

Tensor RandomTensor(Random& random, int rows) {
  const int width = 1 + Below(random, 3);
  std::vector<float> elements;
  for (int i = 0; i < rows * width; ++i) elements.push_back(static_cast<float>(random() % 1000));
  return *Tensor::FromVector<float>(std::move(elements), {rows, width});
}

// Made of lists, tensors and dicts of them: each with no rows, or enough for `takers`.
Value RandomValue(Random& random, int takers, int depth) {
  const int rows = Below(random, 4) == 0 ? 0 : takers + Below(random, 20);
  const int kind = Below(random, depth > 0 ? 3 : 2);
  if (kind == 0) return RandomTensor(random, rows);
  if (kind == 1) {
    Value::List list;
    for (int i = 0; i < rows; ++i) {
      list.push_back(Below(random, 2) == 0 ? Value(Below(random, 100)) : Value(Value::List{"x", i}));
    }
    return list;
  }
  Value::Dict dict;
  for (int i = Below(random, 4); i > 0; --i) {
    dict[std::to_string(i)] = RandomValue(random, takers, depth - 1);
  }
  return dict;
}

struct Columns {
  std::vector<std::string> names;
  std::vector<bool> flags;
  Array<double> weights;
  std::map<std::string, std::vector<int32_t>> ids;
  Tensor rows;
  bool operator==(const Columns&) const = default;
};

Columns RandomColumns(Random& random, int takers) {
  const auto rows = [&] { return Below(random, 4) == 0 ? 0 : takers + Below(random, 9); };
  Columns columns;
  for (int i = rows(); i > 0; --i) columns.names.push_back(std::to_string(random()));
  for (int i = rows(); i > 0; --i) columns.flags.push_back(random() % 2 == 0);
  columns.weights = Array<double>(std::vector<double>(static_cast<size_t>(rows()), 0.5));
  for (int i = rows(); i > 0; --i) columns.ids["a"].push_back(Below(random, 50));
  columns.ids["b"].assign(static_cast<size_t>(rows()), 7);
  columns.rows = RandomTensor(random, rows());
  return columns;
}

template <class T>
T Slice(const T& whole, const Part& part) {
  T slice{};
  if (part.whole) {
    slice = whole;
  } else {
    REQUIRE(codec::Slice(kType<T>, &slice, &whole, part.ranges).ok());
  }
  return slice;
}

template <class T>
void CheckInverse(const T& value, const DeviceMesh& mesh) {
  const int workers = mesh.world_size();
  const Plan plan = MustPlan(Dispatch::kSliceDp, workers, &mesh, {codec::RowsOf(kType<T>, &value)});
  const auto used = UsedWorkers(Collect::kFlattenDp, workers, &mesh, false);
  REQUIRE(used.ok());
  std::vector<T> slices;
  for (int worker : *used) slices.push_back(Slice(value, plan[worker][0]));
  std::vector<void*> parts;
  for (T& slice : slices) parts.push_back(&slice);
  T joined{};
  const absl::Status status = JoinResults(Collect::kFlattenDp, {}, kType<T>, parts, false, kType<T>, &joined);
  INFO(status);
  REQUIRE(status.ok());
  CHECK((joined == value));
}

TEST_CASE("what slice_dp splits, flatten_dp puts together again") {
  const uint64_t seed = Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    const DeviceMesh mesh = RandomMesh(random);
    CheckInverse(RandomValue(random, mesh.data_world_size(), 3), mesh);
    CheckInverse(RandomColumns(random, mesh.data_world_size()), mesh);
  }
}

TEST_CASE("what slice splits, flatten puts together again") {
  const uint64_t seed = Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    std::vector<int> list(static_cast<size_t>(Below(random, 30)));
    for (int& item : list) item = Below(random, 1000);
    const int workers = 1 + Below(random, 9);
    const Rows rows = codec::RowsOf(kType<std::vector<int>>, &list);
    std::vector<int> joined;
    for (const std::vector<Part>& parts : MustPlan(Dispatch::kSlice, workers, nullptr, {rows})) {
      const std::vector<int> slice = Slice(list, parts[0]);
      // An empty list goes whole to all; else every worker has a run of its own.
      if (!list.empty()) joined.insert(joined.end(), slice.begin(), slice.end());
    }
    CHECK(joined == list);
  }
}

}  // namespace
}  // namespace twinkle::dispatch

#include "runtime/object/row_plan.h"

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/object/assemble.h"
#include "tests/support/catch.h"
#include "tests/support/random.h"

namespace twinkle::object {
namespace {

using codec::Range;
using codec::RowNode;
using codec::Rows;
using dispatch::Part;
using internal::Argument;
using internal::kType;
using tests::Below;
using tests::OneIn;
using tests::Random;

template <class T>
std::vector<Rows> RowsOfAll(const std::vector<T>& shards) {
  std::vector<Rows> rows;
  for (const T& shard : shards) rows.push_back(codec::RowsOf(kType<T>, &shard));
  return rows;
}
Part Of(std::vector<Range> ranges) { return {.whole = false, .ranges = std::move(ranges)}; }

Rows List(int64_t rows) { return {{RowNode::Kind::kList, "", rows, 0}}; }
Rows Tensors(int64_t rows) { return {{RowNode::Kind::kTensor, "", rows, 0}}; }
Rows Whole() { return Rows(1); }

// ---- how ---------------------------------------------------------------------------------------
TEST_CASE("what is known of a collected value from its shards' rows alone") {
  const std::vector<Rows> lists = {List(2), List(0)};
  CHECK(JoinOf(Collect::kFlatten, false, false, lists) == Join::kConcat);
  CHECK(JoinOf(Collect::kFlattenDp, false, false, lists) == Join::kConcat);
  CHECK(JoinOf(Collect::kNone, false, false, lists) == Join::kList);
  CHECK(JoinOf(Collect::kLastPp, false, false, lists) == Join::kList);
  CHECK(JoinOf(Collect::kFirst, false, false, {Whole()}) == Join::kSingle);
  CHECK(JoinOf(Collect::kLastPpFirst, false, true, {List(3)}) == Join::kSingle);
}

TEST_CASE("what is not") {
  const std::vector<Rows> lists = {List(2), List(0)};
  CHECK_FALSE(JoinOf(Collect::kMean, false, false, lists));
  CHECK_FALSE(JoinOf(Collect::kSum, false, false, lists));
  CHECK_FALSE(JoinOf(Collect::kFlatten, false, false, {}));
  CHECK_FALSE(JoinOf(Collect::kFlatten, /*padded=*/true, false, {Tensors(2), Tensors(1)}));
  CHECK_FALSE(JoinOf(Collect::kFlatten, false, true, {List(2), Tensors(2)}));
  CHECK_FALSE(JoinOf(Collect::kFlatten, false, true, {List(2), Whole()}));
  CHECK_FALSE(JoinOf(Collect::kNone, false, /*dynamic=*/true, lists));       // one result is that result
  CHECK_FALSE(JoinOf(Collect::kFirst, false, /*dynamic=*/true, {Whole()}));  // it may be a tuple
}

// ---- pieces ------------------------------------------------------------------------------------
// The value of the pieces, as a reader makes it.
template <class T, class S>
T Assembled(Join join, const std::vector<S>& shards, const std::vector<Piece>& pieces) {
  std::vector<Argument> parts;
  for (const Piece& piece : pieces) {
    auto part = std::make_shared<S>(shards.at(piece.shard));
    if (piece.rows) REQUIRE(codec::Slice(kType<S>, part.get(), &shards.at(piece.shard), *piece.rows).ok());
    parts.push_back({std::move(part), true});
  }
  const auto joined = JoinPieces(join, kType<T>, parts);
  INFO(joined.status());
  REQUIRE(joined.ok());
  return *static_cast<T*>(joined->value.get());
}

template <class T>
T SliceOf(const T& value, const std::vector<Range>& ranges) {
  T slice{};
  REQUIRE(codec::Slice(kType<T>, &slice, &value, ranges).ok());
  return slice;
}

std::vector<Range> RandomRanges(const Rows& rows, Random& random) {
  std::vector<Range> ranges;
  for (const RowNode& node : rows) {
    if (node.rows < 0) continue;
    const int64_t begin = Below(random, static_cast<int>(node.rows) + 1);
    ranges.push_back({begin, begin + Below(random, static_cast<int>(node.rows - begin) + 1)});
  }
  return ranges;
}

// The parts of joined shards are the slices of the value that they make.
template <class T>
void CheckConcat(const std::vector<T>& shards, bool dynamic, Random& random) {
  std::vector<T> copies = shards;
  std::vector<void*> pointers;
  for (T& copy : copies) pointers.push_back(&copy);
  T whole{};
  REQUIRE(codec::Concatenate(kType<T>, &whole, pointers, /*move=*/false).ok());
  const std::vector<Rows> rows = RowsOfAll(shards);
  REQUIRE(JoinOf(Collect::kFlatten, false, dynamic, rows) == Join::kConcat);
  const Rows joined = JoinedRows(Join::kConcat, rows);
  CHECK(joined == codec::RowsOf(kType<T>, &whole));
  CHECK((Assembled<T>(Join::kConcat, shards, PiecesOf(Join::kConcat, rows, Part{})) == whole));
  for (int round = 0; round < 5; ++round) {
    const std::vector<Range> ranges = RandomRanges(joined, random);
    const std::vector<Piece> pieces = PiecesOf(Join::kConcat, rows, Of(ranges));
    CHECK((Assembled<T>(Join::kConcat, shards, pieces) == SliceOf(whole, ranges)));
  }
}

struct Columns {
  std::vector<std::string> names;
  std::vector<bool> flags;
  std::map<std::string, std::vector<int>> ids;
  Tensor tensor;
  Array<float> array;
  bool operator==(const Columns&) const = default;
};

Tensor RandomTensor(Random& random, int width) {
  const int rows = Below(random, 5);
  std::vector<int32_t> elements;
  for (int i = 0; i < rows * width; ++i) elements.push_back(Below(random, 100));
  return *Tensor::FromVector<int32_t>(std::move(elements), {rows, width});
}
std::vector<int> RandomList(Random& random) {
  std::vector<int> list(static_cast<size_t>(Below(random, 6)));
  for (int& item : list) item = Below(random, 1000);
  return list;
}

Columns RandomColumns(Random& random) {
  Columns columns;
  for (int item : RandomList(random)) columns.names.push_back(std::to_string(item));
  for (int item : RandomList(random)) columns.flags.push_back(item % 2 == 0);
  columns.ids = {{"a", RandomList(random)}, {"b", RandomList(random)}};
  columns.tensor = RandomTensor(random, 3);
  columns.array = Array<float>(std::vector<float>(static_cast<size_t>(Below(random, 5)), 0.5F));
  return columns;
}

// A tree of the same form each time, for the same `form`.
Value RandomTree(Random& random, Random form, int depth) {
  const int kind = Below(form, depth > 0 ? 3 : 2);
  if (kind == 0) return RandomTensor(random, 1 + Below(form, 3));
  if (kind == 1) {
    Value::List list;
    for (int item : RandomList(random)) list.push_back(OneIn(random, 2) ? Value(item) : Value(Value::Tuple{{item}}));
    return list;
  }
  Value::Dict dict;
  for (int i = 1 + Below(form, 3); i > 0; --i) {
    dict[std::to_string(i)] = RandomTree(random, Random(form()), depth - 1);
  }
  return dict;
}

TEST_CASE("pieces of random parts of flattened shards are the slices of the flattened value") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    const int count = 1 + Below(random, 4);
    std::vector<std::vector<int>> lists;
    std::vector<Columns> columns;
    std::vector<Value> trees;
    const Random form(random());
    for (int i = 0; i < count; ++i) {
      lists.push_back(RandomList(random));
      columns.push_back(RandomColumns(random));
      trees.push_back(RandomTree(random, form, 3));
    }
    CheckConcat(lists, false, random);
    CheckConcat(columns, false, random);
    CheckConcat(trees, true, random);
  }
}

TEST_CASE("only the shards that have rows of a part are read") {
  const std::vector<Rows> rows = {List(3), List(0), List(4), List(2)};
  const std::vector<Piece> pieces = PiecesOf(Join::kConcat, rows, Of({{4, 7}}));
  REQUIRE(pieces.size() == 1);
  CHECK(pieces[0].shard == 2);
  CHECK(*pieces[0].rows == std::vector<Range>{{1, 4}});
  CHECK(PiecesOf(Join::kConcat, rows, Of({{2, 8}})).size() == 3);
  CHECK(PiecesOf(Join::kConcat, rows, Of({{5, 5}})).size() == 1);  // says of what type nothing is
}

TEST_CASE("an empty part of tensors keeps the element type and inner shape of all shards together") {
  const std::vector<Tensor> shards = {*Tensor::Zeros(DType::kInt32, {2, 3}), *Tensor::Zeros(DType::kFloat64, {1, 3})};
  const std::vector<Rows> rows = RowsOfAll(shards);
  const Tensor none = Assembled<Tensor>(Join::kConcat, shards, PiecesOf(Join::kConcat, rows, Of({{1, 1}})));
  CHECK((none == *Tensor::Zeros(DType::kFloat64, {0, 3})));
  const Tensor first = Assembled<Tensor>(Join::kConcat, shards, PiecesOf(Join::kConcat, rows, Of({{0, 1}})));
  CHECK((first == *Tensor::Zeros(DType::kFloat64, {1, 3})));
}

TEST_CASE("pieces of lists of results, and of a single result, are the slices of the collected value") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    std::vector<std::string> shards;
    for (int item : RandomList(random)) shards.push_back(std::to_string(item));
    shards.emplace_back("last");
    const std::vector<Rows> rows = RowsOfAll(shards);
    const Rows joined = JoinedRows(Join::kList, rows);
    CHECK(joined == List(static_cast<int64_t>(shards.size())));
    const std::vector<Range> ranges = RandomRanges(joined, random);
    using Texts = std::vector<std::string>;
    CHECK(Assembled<Texts>(Join::kList, shards, PiecesOf(Join::kList, rows, Of(ranges))) == SliceOf(shards, ranges));
    CHECK(Assembled<Texts>(Join::kList, shards, PiecesOf(Join::kList, rows, Part{})) == shards);

    const std::vector<Columns> one = {RandomColumns(random)};
    const std::vector<Rows> one_rows = RowsOfAll(one);
    CHECK(JoinedRows(Join::kSingle, one_rows) == one_rows[0]);
    const std::vector<Range> part = RandomRanges(one_rows[0], random);
    CHECK(
        (Assembled<Columns>(Join::kSingle, one, PiecesOf(Join::kSingle, one_rows, Of(part))) == SliceOf(one[0], part)));
  }
}

TEST_CASE("entries of hash maps are matched by key, in whatever order each shard lists them") {
  using Map = std::unordered_map<std::string, std::vector<int>>;
  std::vector<Map> shards(2);
  for (int i = 0; i < 40; ++i) shards[0][std::to_string(i)] = {i};
  for (int i = 39; i >= 0; --i) shards[1][std::to_string(i)] = {100 + i, 200 + i};
  shards[1].rehash(1000);
  const std::vector<Rows> rows = RowsOfAll(shards);
  REQUIRE(JoinOf(Collect::kFlatten, false, false, rows) == Join::kConcat);
  const Rows joined = JoinedRows(Join::kConcat, rows);
  const std::vector<Range> middle(codec::LeafCount(joined), Range{1, 2});
  const Map part = Assembled<Map>(Join::kConcat, shards, PiecesOf(Join::kConcat, rows, Of(middle)));
  REQUIRE(part.size() == 40);
  for (int i = 0; i < 40; ++i) CHECK(part.at(std::to_string(i)) == std::vector<int>{100 + i});
}

TEST_CASE("keys may hold any characters, also those that a path is written with") {
  Random random(1);
  Value::Dict slash;
  slash["a/b"] = Value::List{1, 2};
  slash["a"] = Value::Dict{{"b", Value::List{3, 4, 5}}};
  CheckConcat<Value>({slash, slash}, true, random);
  Value::Dict empty;
  empty[""] = Value::List{1, 2};
  empty["#0"] = Value::List{3, 4, 5};
  CheckConcat<Value>({empty, empty}, true, random);
}

}  // namespace
}  // namespace twinkle::object

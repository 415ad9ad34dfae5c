// Rows, slices, encoded rows and joins agree with one another.
#include <absl/strings/match.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "tests/support/catch.h"
#include "tests/support/random.h"
#include "tests/unit/codec/values.h"

namespace twinkle::codec {
namespace {

using internal::kType;
using tests::Below;
using tests::OneIn;
using tests::Random;
using RowKind = RowNode::Kind;

class Table {  // opaque, but with rows
 public:
  Table() = default;
  explicit Table(std::vector<int> items) : items_(std::move(items)) {}
  int64_t rows() const { return static_cast<int64_t>(items_.size()); }
  Table Slice(int64_t begin, int64_t end) const { return Table({items_.begin() + begin, items_.begin() + end}); }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(items_);
  }
  bool operator==(const Table&) const = default;

 private:
  std::vector<int> items_;
};

struct Columns {  // can be joined again
  std::vector<std::string> names;
  std::vector<bool> flags;
  Array<double> array;
  std::map<std::string, std::vector<int>> ids;
  std::optional<std::vector<Point>> points;
  Tensor tensor;
  Value value;
  bool operator==(const Columns&) const = default;
};
struct Mixed {  // can only be split: some of it goes whole
  std::array<int, 2> fixed{};
  Table table;
  std::variant<int, std::vector<int>> one_of;
  std::optional<Tensor> maybe;
  std::tuple<std::vector<int>, int> tuple;
  std::map<std::string, Tensor> tensors;
  std::set<int> set;
  Value value;
  std::string text;
  bool operator==(const Mixed&) const = default;
};

template <class T>
Rows RowsFor(const T& value) {
  return RowsOf(kType<T>, &value);
}
RowNode Leaf(RowKind kind, std::string key, int64_t rows) { return {kind, std::move(key), rows, 0}; }
RowNode Tree(std::string key, uint32_t children) { return {RowKind::kTree, std::move(key), -1, children}; }
RowNode Whole(std::string key) { return {RowKind::kWhole, std::move(key), -1, 0}; }

// ---- rows --------------------------------------------------------------------------------------
TEST_CASE("lists and tensors have rows, structs and string-keyed maps are trees, everything else goes whole") {
  CHECK(RowsFor(std::vector<int>{1, 2}) == Rows{Leaf(RowKind::kList, "", 2)});
  CHECK(RowsFor(std::vector<bool>(5)) == Rows{Leaf(RowKind::kList, "", 5)});
  CHECK(RowsFor(Array<int>({1})) == Rows{Leaf(RowKind::kList, "", 1)});
  CHECK(RowsFor(TensorOf<int64_t>({1, 2, 3, 4}, {2, 2})) == Rows{Leaf(RowKind::kTensor, "", 2)});
  CHECK(RowsFor(Table({1, 2, 3})) == Rows{Leaf(RowKind::kTensor, "", 3)});
  CHECK(RowsFor(TensorOf<float>({1}, {})) == Rows{Whole("")});
  CHECK(RowsFor(std::string("abc")) == Rows{Whole("")});
  CHECK(RowsFor(std::pair<std::vector<int>, int>()) == Rows{Whole("")});
  CHECK(RowsFor(std::array<std::vector<int>, 2>()) == Rows{Whole("")});
  CHECK(RowsFor(std::map<int, std::vector<int>>()) == Rows{Whole("")});
  CHECK(RowsFor(std::map<std::string, int>{{"a", 1}}) == Rows{Whole("")});
  CHECK(RowsOf(kType<std::vector<int>>, nullptr) == Rows{Whole("")});
  const std::map<std::string, std::vector<int>> dict = {{"a", {1}}, {"b", {}}};
  CHECK(RowsFor(dict) == Rows{Tree("", 2), Leaf(RowKind::kList, "a", 1), Leaf(RowKind::kList, "b", 0)});
}

TEST_CASE("optionals and variants have the rows of what they hold") {
  CHECK(RowsFor(std::optional<std::vector<int>>({1, 2})) == Rows{Leaf(RowKind::kList, "", 2)});
  CHECK(RowsFor(std::optional<std::vector<int>>()) == Rows{Whole("")});
  using Either = std::variant<int, std::vector<int>>;
  CHECK(RowsFor(Either(std::vector<int>{1})) == Rows{Leaf(RowKind::kList, "", 1)});
  CHECK(RowsFor(Either(7)) == Rows{Whole("")});
}

TEST_CASE("a tree in preorder, typed and dynamic") {
  Mixed mixed;
  mixed.table = Table({1, 2, 3});
  mixed.tensors["x"] = TensorOf<float>({1, 2});
  mixed.value = Value::Dict{{"l", Value::List{1, 2}}, {"t", Value::Tuple{{1}}}, {"s", "s"}};
  const Rows rows = RowsFor(mixed);
  CHECK(rows == Rows{Tree("", 9), Whole(""), Leaf(RowKind::kTensor, "", 3), Whole(""), Whole(""), Whole(""),
                     Tree("", 1), Leaf(RowKind::kTensor, "x", 2), Whole(""), Tree("", 3), Leaf(RowKind::kList, "l", 2),
                     Whole("s"), Whole("t"), Whole("")});
  CHECK(LeafCount(rows) == 3);
}

TEST_CASE("the rows a user counts are those that all leaves have in common") {
  CHECK(*CommonRows(RowsFor(std::vector<int>(4))) == 4);
  const std::map<std::string, std::vector<int>> same = {{"a", {1}}, {"b", {2}}};
  CHECK(*CommonRows(RowsFor(same)) == 1);
  const std::map<std::string, std::vector<int>> different = {{"a", {1}}, {"b", {}}};
  CHECK(absl::IsInvalidArgument(CommonRows(RowsFor(different)).status()));
  CHECK(absl::IsInvalidArgument(CommonRows(RowsFor(5)).status()));
}

// ---- agreement ---------------------------------------------------------------------------------
// Consecutive ranges of each leaf, at random: cuts[part][leaf].
std::vector<std::vector<Range>> RandomCuts(const Rows& rows, int parts, Random& random) {
  std::vector<std::vector<Range>> cuts(static_cast<size_t>(parts));
  for (const RowNode& node : rows) {
    if (node.rows < 0) continue;
    std::vector<int64_t> ends;
    for (int part = 1; part < parts; ++part) ends.push_back(Below(random, static_cast<int>(node.rows) + 1));
    std::sort(ends.begin(), ends.end());
    ends.push_back(node.rows);
    int64_t begin = 0;
    for (size_t part = 0; part < cuts.size(); ++part)
      cuts[part].push_back({std::exchange(begin, ends[part]), ends[part]});
  }
  return cuts;
}

bool SameBuffers(const Encoded& a, const Encoded& b) {
  return std::equal(
      a.buffers.begin(), a.buffers.end(), b.buffers.begin(), b.buffers.end(),
      [](const Buffer& x, const Buffer& y) { return x.size == y.size && std::equal(x.data, x.data + x.size, y.data); });
}

// What the ranges of it are, which is the same sliced here and encoded in part.
template <class T>
T PartOf(const T& value, const std::vector<Range>& ranges) {
  T sliced{};
  REQUIRE(Slice(kType<T>, &sliced, &value, ranges).ok());
  const absl::StatusOr<Encoded> part = Encode(Hold(value), &ranges, 64);
  const absl::StatusOr<Encoded> whole = Encode(Hold(sliced), nullptr, 64);
  REQUIRE(part.ok());
  REQUIRE(whole.ok());
  CHECK((part->head == whole->head));
  CHECK(SameBuffers(*part, *whole));
  const absl::StatusOr<T> received = DecodeAs<T>(part->head, part->buffers);
  REQUIRE(received.ok());
  CHECK((*received == sliced));
  size_t leaf = 0;
  for (const RowNode& node : RowsFor(sliced)) {
    if (node.rows >= 0) CHECK(node.rows == ranges[leaf++].size());
  }
  CHECK(leaf == ranges.size());
  return sliced;
}

template <class T>
std::vector<T> PartsOf(const T& value, Random& random) {
  std::vector<T> parts;
  for (const auto& ranges : RandomCuts(RowsFor(value), 1 + Below(random, 4), random)) {
    parts.push_back(PartOf(value, ranges));
  }
  return parts;
}

template <class T>
void CheckJoins(const T& value, Random& random) {
  std::vector<T> parts = PartsOf(value, random);
  for (const bool move : {false, true}) {
    std::vector<void*> pointers;
    for (T& part : parts) pointers.push_back(&part);
    T joined{};
    const absl::Status status = Concatenate(kType<T>, &joined, pointers, move);
    INFO(status);
    REQUIRE(status.ok());
    CHECK((joined == value));
  }
}

Tensor RandomTensor(Random& random) {
  const int rows = Below(random, 9);
  const int width = Below(random, 4);
  std::vector<int64_t> elements;
  for (int i = 0; i < rows * width; ++i) elements.push_back(Below(random, 1000));
  return TensorOf(std::move(elements), {rows, width});
}

// Lists, tensors and dicts of them.
Value RandomTree(Random& random, int depth) {
  const int kind = Below(random, depth > 0 ? 3 : 2);
  if (kind == 0) return RandomTensor(random);
  if (kind == 1) {
    Value::List list;
    for (int i = Below(random, 7); i > 0; --i) list.push_back(OneIn(random, 2) ? Value(i) : Value(Value::List{"x", i}));
    return list;
  }
  Value::Dict dict;
  for (int i = Below(random, 4); i > 0; --i) dict[std::to_string(i)] = RandomTree(random, depth - 1);
  return dict;
}

Columns RandomColumns(Random& random) {
  Columns columns;
  for (int i = Below(random, 9); i > 0; --i) columns.names.push_back(std::string(static_cast<size_t>(20 * i), 'n'));
  for (int i = Below(random, 9); i > 0; --i) columns.flags.push_back(OneIn(random, 2));
  columns.array = Array<double>(std::vector<double>(static_cast<size_t>(Below(random, 40)), 0.5));
  for (int i = Below(random, 9); i > 0; --i) columns.ids[std::to_string(i % 3)].push_back(i);
  columns.points =
      std::vector<Point>(static_cast<size_t>(Below(random, 20)), Point{1, static_cast<float>(random() % 9)});
  columns.tensor = RandomTensor(random);
  columns.value = RandomTree(random, 2);
  return columns;
}

Mixed RandomMixed(Random& random) {
  Mixed mixed;
  mixed.fixed = {Below(random, 9), 2};
  std::vector<int> items;
  for (int i = Below(random, 30); i > 0; --i) items.push_back(i);
  mixed.table = Table(items);
  if (OneIn(random, 2)) mixed.one_of = items;
  if (OneIn(random, 2)) mixed.maybe = RandomTensor(random);
  mixed.tuple = {items, 1};
  mixed.tensors["a"] = RandomTensor(random);
  mixed.tensors["scalar"] = TensorOf<float>({1}, {});
  mixed.set = {1, 2, 3};
  mixed.value = Value::Dict{{"t", Value::Tuple{{1, "two"}}}, {"n", nullptr}, {"r", RandomTree(random, 2)}};
  mixed.text = "text";
  return mixed;
}

TEST_CASE("parts cut at random are the same sliced and encoded, and together the whole") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  Random random(seed);
  for (int round = 0; round < 150; ++round) {
    CheckJoins(RandomColumns(random), random);
    CheckJoins(RandomTree(random, 3), random);
    PartsOf(RandomMixed(random), random);
  }
}

TEST_CASE("a hash map is split and joined entry by entry") {
  std::unordered_map<std::string, std::vector<int>> map;
  for (int i = 0; i < 50; ++i) map[std::to_string(i)] = {i, i + 1, i + 2};
  const size_t leaves = LeafCount(RowsFor(map));
  std::vector<std::unordered_map<std::string, std::vector<int>>> parts(2);
  REQUIRE(Slice(kType<decltype(map)>, parts.data(), &map, std::vector<Range>(leaves, Range{0, 1})).ok());
  REQUIRE(Slice(kType<decltype(map)>, &parts[1], &map, std::vector<Range>(leaves, Range{1, 3})).ok());
  CHECK(parts[1].at("7") == std::vector<int>{8, 9});
  decltype(map) joined;
  REQUIRE(Concatenate(kType<decltype(map)>, &joined, {parts.data(), &parts[1]}, true).ok());
  CHECK(joined == map);
}

// ---- refusals ----------------------------------------------------------------------------------
TEST_CASE("ranges must be one for each leaf, inside it, and not backwards") {
  const Columns columns = [] {
    Columns made;
    made.names = {"a", "b"};
    made.flags = {true};
    return made;
  }();
  const size_t leaves = LeafCount(RowsFor(columns));
  std::vector<Range> good(leaves, Range{0, 0});
  const auto refused = [&](const std::vector<Range>& ranges) {
    Columns to;
    const absl::Status sliced = Slice(kType<Columns>, &to, &columns, ranges);
    const absl::Status encoded = Encode(Hold(columns), &ranges).status();
    CHECK(absl::IsInvalidArgument(sliced) == absl::IsInvalidArgument(encoded));
    CHECK(sliced.ok() == encoded.ok());
    return absl::IsInvalidArgument(sliced);
  };
  CHECK_FALSE(refused(good));
  CHECK(refused(std::vector<Range>(leaves - 1, Range{0, 0})));
  CHECK(refused(std::vector<Range>(leaves + 1, Range{0, 0})));
  for (const Range bad : {Range{0, 3}, Range{-1, 1}, Range{2, 1}, Range{3, 3}}) {
    std::vector<Range> ranges = good;
    ranges[0] = bad;
    CHECK(refused(ranges));
  }
}

struct Unruly {  // throws while it is made, so that the variant that was to hold it loses its value
  std::string text;
  Unruly() = default;
  explicit Unruly(int number) { throw number; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(text);
  }
};

TEST_CASE("a variant without a value cannot be encoded or sliced, and has no rows") {
  using Either = std::variant<std::vector<int>, Unruly>;
  Either lost;
  try {
    lost.emplace<1>(1);
  } catch (int) {
  }
  REQUIRE(lost.valueless_by_exception());
  CHECK(RowsFor(lost) == Rows{Whole("")});
  CHECK(absl::IsInvalidArgument(Encode(Hold(lost)).status()));
  Either to;
  CHECK(absl::IsInvalidArgument(Slice(kType<Either>, &to, &lost, {})));
}

}  // namespace
}  // namespace twinkle::codec

#include "runtime/weights/table.h"

#include <absl/strings/str_cat.h>

#include "runtime/codec/flat.h"
#include "runtime/weights/names.h"
#include "tests/support/catch.h"
#include "tests/support/random.h"

namespace twinkle::weights {
namespace {

std::string BytesOf(const WireTable& table) {
  const absl::StatusOr<std::string> bytes = codec::EncodeFlat(table);
  REQUIRE(bytes.ok());
  return *bytes;
}
std::string BytesOf(const WeightSet& set, int rank) {
  const absl::StatusOr<WireTable> table = TableOf(set, rank);
  INFO(table.status());
  REQUIRE(table.ok());
  return BytesOf(*table);
}
absl::StatusOr<Table> ReadTable(std::string_view bytes) {
  absl::StatusOr<WireTable> wire = codec::DecodeFlat<WireTable>(bytes);
  if (!wire.ok()) return wire.status();
  return Table::Read(*std::move(wire));
}
// Tensors without memory of their own: what a table says does not depend on it.
Tensor Shaped(std::vector<int64_t> shape) {
  static const std::byte kMemory[1] = {};
  return *Tensor::FromBuffer(DType::kBFloat16, std::move(shape), nullptr, kMemory, false);
}

// A rank of a model with experts, split over 4 ranks by tp.
WeightSet MoeSet(const DeviceMesh& mesh, int rank, int experts) {
  WeightSet set;
  const TensorShard rows = TensorShard::Of(mesh, rank, {{0, "tp"}});
  const TensorShard columns = TensorShard::Of(mesh, rank, {{1, "tp"}});
  for (int layer = 0; layer < 3; ++layer) {
    const std::string at = absl::StrCat("model.layers.", layer);
    set.Add(at + ".norm", Shaped({64}));
    set.Add(at + ".qkv", Shaped({32, 64}), rows);
    for (int expert = 0; expert < experts; ++expert) {
      const std::string name = absl::StrCat(at, ".experts.", expert);
      set.Add(name + ".up", Shaped({8, 64}), rows);
      set.Add(name + ".down", Shaped({64, 8}), columns);
    }
  }
  return set;
}

TEST_CASE("a table says what a set has") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.dp = 2, .tp = 4});
  const WeightSet set = MoeSet(mesh, 5, 10);
  const absl::StatusOr<Table> table = ReadTable(BytesOf(set, 5));
  REQUIRE(table.ok());
  REQUIRE(table->size() == set.pieces().size());
  for (size_t i = 0; i < table->size(); ++i) {
    const WeightSet::Placed& placed = set.pieces()[i];
    CHECK(table->name(i) == placed.piece.tensor);
    CHECK(table->entry(i).storage == placed.storage);
    CHECK(table->entry(i).offset == placed.offset);
    const absl::StatusOr<View> view = table->ViewOf(table->entry(i).form, 5);
    REQUIRE(view.ok());
    CHECK(view->box == placed.box);
    CHECK(view->strides == placed.strides);
  }
}

TEST_CASE("ranks of one layout have the same bytes of table") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.dp = 2, .tp = 4});
  const std::string bytes = BytesOf(MoeSet(mesh, 0, 10), 0);
  for (int rank = 1; rank < 8; ++rank) CHECK(BytesOf(MoeSet(mesh, rank, 10), rank) == bytes);
}

TEST_CASE("an expert takes a byte or two, name included") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.tp = 4});
  const size_t few = BytesOf(MoeSet(mesh, 0, 100), 0).size();
  const size_t many = BytesOf(MoeSet(mesh, 0, 1100), 0).size();
  CHECK((many - few) / (3 * 1000 * 2) <= 2);
}

TEST_CASE("what is irregular is written as it is: another rank's shard, strides, offsets") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.tp = 4});
  WeightSet set;
  set.Add("moved", Shaped({2, 6}), TensorShard::Of(mesh, 2, {{0, "tp"}}));
  set.Add("turned", Shaped({3, 5}), {{.shape = {5, 3}, .axes = {1, 0}}});
  set.Add("flat", Shaped({60}), FlatPieces("w.007.x", {3, 4, 5}, {13, 49}, 5));
  const absl::StatusOr<Table> table = ReadTable(BytesOf(set, 0));
  REQUIRE(table.ok());
  REQUIRE(table->size() == set.pieces().size());
  for (size_t i = 0; i < table->size(); ++i) {
    const absl::StatusOr<View> view = table->ViewOf(table->entry(i).form, 0);
    REQUIRE(view.ok());
    CHECK(table->name(i) == set.pieces()[i].piece.tensor);
    CHECK(table->entry(i).storage == set.pieces()[i].storage);
    CHECK(table->entry(i).offset == set.pieces()[i].offset);
    CHECK(view->box == set.pieces()[i].box);
    CHECK(view->strides == set.pieces()[i].strides);
  }
}

TEST_CASE("names come back as they were, whatever their numbers") {
  const std::vector<std::string> written = {"a",
                                            "a0",
                                            "a1.b00",
                                            "a1.b01",
                                            "7",
                                            "9223372036854775807",
                                            "123456789012345678",
                                            "a999999999999999999",
                                            "10.20.30",
                                            "9.20.31",
                                            "x-1",
                                            "é2"};
  NameTexts texts;
  for (const std::string& name : written) {
    std::vector<int64_t> numbers;
    const uint32_t text = texts.Split(name, &numbers);
    REQUIRE(GapsOf(texts.texts()[text]) == numbers.size());
    std::string read = "before";
    REQUIRE(AppendName(texts.texts()[text], numbers, &read));
    CHECK(read == "before" + name);
  }
  CHECK(texts.texts().size() < written.size());
  std::string refused;
  CHECK_FALSE(AppendName("a\x01", std::vector<int64_t>{-1}, &refused));
}

TEST_CASE("a set with a fault has no table") {
  WeightSet set;
  set.Add("x", Shaped({4}), {{.shape = {5}}});
  CHECK(TableOf(set, 0).status() == set.status());
}

TEST_CASE("bytes that nobody wrote are refused, or are a table in which nothing leads astray") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  tests::Random random(seed);
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.tp = 4});
  WeightSet set = MoeSet(mesh, 0, 2);
  set.Add("turned", Shaped({3, 5}), {{.shape = {5, 3}, .axes = {1, 0}}});
  set.Add("flat", Shaped({60}), FlatPieces("w", {3, 4, 5}, {13, 49}, 5));
  const std::string good = BytesOf(set, 0);
  for (int round = 0; round < 3000; ++round) {
    std::string bad = good;
    for (int changes = 1 + tests::Below(random, 3); changes > 0; --changes) {
      bad[static_cast<size_t>(tests::Below(random, static_cast<int>(bad.size())))] = static_cast<char>(random());
    }
    if (tests::OneIn(random, 4)) bad.resize(static_cast<size_t>(tests::Below(random, static_cast<int>(bad.size()))));
    const absl::StatusOr<Table> table = ReadTable(bad);
    if (!table.ok()) continue;
    for (size_t i = 0; i < table->size(); ++i) {
      REQUIRE(table->entry(i).form < table->forms().size());
      REQUIRE(table->name(i).size() <= kMostNameBytes);
      table->ViewOf(table->entry(i).form, tests::Below(random, 5)).status().IgnoreError();
    }
  }
}

}  // namespace
}  // namespace twinkle::weights

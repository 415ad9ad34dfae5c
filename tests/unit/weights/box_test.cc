#include "runtime/weights/box.h"

#include <functional>

#include "tests/support/catch.h"
#include "tests/support/random.h"

namespace twinkle::weights {
namespace {

using tests::Below;

Box RandomBox(tests::Random& random, const std::vector<int64_t>& shape) {
  Box box;
  for (const int64_t size : shape) {
    const int begin = Below(random, static_cast<int>(size) + 1);
    box.push_back({begin, begin + Below(random, static_cast<int>(size) - begin + 1)});
  }
  return box;
}

// Adds 1 to the count of each index in the box.
void Mark(const Box& box, const std::vector<int64_t>& shape, std::vector<int>* counts) {
  const std::vector<int64_t> strides = PackedStrides(shape);
  const std::function<void(size_t, int64_t)> mark = [&](size_t dim, int64_t at) {
    if (dim == box.size()) {
      ++(*counts)[static_cast<size_t>(at)];
      return;
    }
    for (int64_t i = box[dim].begin; i < box[dim].end; ++i) mark(dim + 1, at + i * strides[dim]);
  };
  mark(0, 0);
}

TEST_CASE("boxes meet, and are taken out of each other, as sets of indices are") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  tests::Random random(seed);
  for (int round = 0; round < 300; ++round) {
    const std::vector<int64_t> shape(static_cast<size_t>(Below(random, 4)), 1 + Below(random, 5));
    const Box a = RandomBox(random, shape);
    const Box b = RandomBox(random, shape);
    const auto elements = static_cast<size_t>(Volume(Whole(shape)));
    std::vector<int> in_a(elements);
    std::vector<int> in_b(elements);
    std::vector<int> in_both(elements);
    std::vector<int> in_rest(elements);
    Mark(a, shape, &in_a);
    Mark(b, shape, &in_b);
    Mark(Intersect(a, b), shape, &in_both);
    std::vector<Box> rest;
    Subtract(a, b, &rest);
    CHECK(rest.size() <= 2 * shape.size() + 1);
    for (const Box& box : rest) Mark(box, shape, &in_rest);
    for (size_t i = 0; i < elements; ++i) {
      REQUIRE(in_both[i] == in_a[i] * in_b[i]);
      REQUIRE(in_rest[i] == in_a[i] * (1 - in_b[i]));
    }
  }
}

TEST_CASE("a scalar's box has no range and one index") {
  CHECK(Volume({}) == 1);
  CHECK(Contains({}, {}));
  std::vector<Box> rest;
  Subtract({}, {}, &rest);
  CHECK(rest.empty());
  CHECK(BoxText({{0, 128}, {64, 96}}) == "[0:128, 64:96]");
}

}  // namespace
}  // namespace twinkle::weights

#include "runtime/weights/copy.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "tests/support/random.h"
#include "tests/unit/weights/world.h"

namespace twinkle::weights {
namespace {

TEST_CASE("moves have as few steps as say them") {
  const auto move = [](const Box& box, const std::vector<int64_t>& from, const std::vector<int64_t>& to) {
    const Box whole = {{0, 4}, {0, 6}, {0, 8}};
    return MoveOf(box, {whole, from}, {whole, to});
  };
  const std::vector<int64_t> packed = {48, 8, 1};
  CHECK(move({{0, 4}, {0, 6}, {0, 8}}, packed, packed) == Move{0, 0, {{192, 1, 1}}});
  CHECK(move({{1, 3}, {0, 6}, {0, 8}}, packed, packed) == Move{48, 48, {{96, 1, 1}}});
  CHECK(move({{0, 4}, {2, 4}, {0, 8}}, packed, packed) == Move{16, 16, {{4, 48, 48}, {16, 1, 1}}});
  CHECK(move({{2, 3}, {3, 4}, {5, 6}}, packed, packed) == Move{125, 125, {}});
  // The receiver's order: its writes go forward.
  CHECK(move({{0, 4}, {0, 6}, {0, 8}}, packed, {1, 4, 24}) == Move{0, 0, {{8, 1, 24}, {6, 8, 4}, {4, 48, 1}}});
}

TEST_CASE("any move of any size of element is copied as one by one") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  tests::Random random(seed);
  for (int round = 0; round < 400; ++round) {
    const std::vector<int64_t> extents = {1 + tests::Below(random, 40), 1 + tests::Below(random, 5),
                                          1 + tests::Below(random, 40)};
    // Each side has its own order of dimensions, and gaps.
    const auto view = [&] {
      std::vector<size_t> order = {0, 1, 2};
      std::shuffle(order.begin(), order.end(), random);
      View made{Whole(extents), std::vector<int64_t>(3)};
      int64_t stride = tests::OneIn(random, 4) ? 2 : 1;
      for (const size_t dim : order) {
        made.strides[dim] = stride;
        stride *= extents[dim] + tests::Below(random, 2);
      }
      return std::pair(made, stride);
    };
    const auto [from, from_size] = view();
    const auto [to, to_size] = view();
    const Move move = MoveOf(Whole(extents), from, to);
    REQUIRE(move.elements() == Volume(Whole(extents)));
    for (const DType dtype : {DType::kInt8, DType::kBFloat16, DType::kFloat32, DType::kInt64, DType::kComplex128}) {
      const auto size = static_cast<size_t>(SizeOf(dtype));
      std::vector<std::byte> source(static_cast<size_t>(from_size) * size);
      for (std::byte& byte : source) byte = static_cast<std::byte>(random());
      std::vector<std::byte> expected(static_cast<size_t>(to_size) * size);
      std::vector<std::byte> copied = expected;
      EachMoved(move, [&](int64_t there, int64_t here) {
        std::memcpy(&expected[static_cast<size_t>(here) * size], &source[static_cast<size_t>(there) * size], size);
      });
      Copy(move, dtype, source.data(), dtype, copied.data());
      REQUIRE(copied == expected);
    }
  }
}

TEST_CASE("float32 is rounded to bfloat16 as a BFloat16 is made, in rows and in columns") {
  std::vector<float> numbers;
  for (uint32_t high = 0; high < 0x10000; ++high) {
    for (const uint32_t low : {0U, 1U, 0x7fffU, 0x8000U, 0x8001U, 0xffffU})
      numbers.push_back(std::bit_cast<float>(high << 16 | low));
  }
  const auto count = static_cast<int64_t>(numbers.size());
  for (const Move& move : {Move{0, 0, {{count, 1, 1}}}, Move{0, 0, {{count / 6, 6, 6}, {6, 1, 1}}},
                           Move{0, 0, {{6, 1, 1}, {count / 6, 6, 6}}}}) {
    std::vector<BFloat16> rounded(numbers.size());
    Copy(move, DType::kFloat32, reinterpret_cast<const std::byte*>(numbers.data()), DType::kBFloat16,
         reinterpret_cast<std::byte*>(rounded.data()));
    bool right = true;
    for (size_t i = 0; i < numbers.size(); ++i) {
      const bool nan = std::isnan(numbers[i]) && std::isnan(static_cast<float>(rounded[i]));
      right = right && (nan || rounded[i] == BFloat16(numbers[i]));
    }
    CHECK(right);
  }
  CHECK(CanCast(DType::kFloat32, DType::kBFloat16));
  CHECK_FALSE(CanCast(DType::kBFloat16, DType::kFloat32));
}

}  // namespace
}  // namespace twinkle::weights

// A value's size is right whether or not it was kept, and what is kept is what Encode gives.
#include "runtime/codec/encode_within.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/random.h"
#include "tests/unit/codec/values.h"

namespace twinkle::codec {
namespace {

using tests::Below;
using tests::OneIn;

std::string AllBytes(const Encoded& encoded) {
  std::string bytes = encoded.head;
  for (const Buffer& buffer : encoded.buffers) bytes.append(reinterpret_cast<const char*>(buffer.data), buffer.size);
  return bytes;
}

void CheckSizes(const Described& value) {
  const absl::StatusOr<Encoded> whole = Encode(value);
  REQUIRE(whole.ok());
  const uint64_t size = whole->bytes();
  for (const uint64_t limit : {uint64_t{0}, size - 1, size, size + 1, size / 2, ~uint64_t{0}}) {
    INFO("size " << size << ", limit " << limit);
    const absl::StatusOr<Sized> sized = EncodeWithin(value, limit);
    REQUIRE(sized.ok());
    CHECK(sized->bytes == size);
    REQUIRE(sized->encoded.has_value() == (size <= limit));
    if (sized->encoded) CHECK(AllBytes(*sized->encoded) == AllBytes(*whole));
  }
}

struct alignas(64) Marks {
  uint8_t marks[64] = {};
  bool operator==(const Marks&) const = default;
};
struct Contents {
  std::vector<std::string> texts;
  std::vector<double> numbers;
  std::vector<Marks> wide;
  std::vector<std::vector<float>> lists;
  std::vector<Tensor> tensors;
  Value value;
};

// Parts that stand in the head, with their alignments, and parts that become buffers, in any order.
Contents RandomContents(tests::Random& random) {
  Contents contents;
  const int scale = OneIn(random, 3) ? 2000 : 20;
  for (int i = Below(random, scale); i > 0; --i)
    contents.texts.emplace_back(static_cast<size_t>(Below(random, 60)), 'x');
  contents.numbers.resize(static_cast<size_t>(Below(random, 400)));
  contents.wide.resize(static_cast<size_t>(Below(random, 40)));
  for (int i = Below(random, scale); i > 0; --i)
    contents.lists.emplace_back(Below(random, OneIn(random, 9) ? 900 : 30));
  for (int i = Below(random, 5); i > 0; --i) {
    contents.tensors.push_back(TensorOf(std::vector<float>(static_cast<size_t>(Below(random, 1000)))));
  }
  contents.value = Value::List{"text", std::string(static_cast<size_t>(Below(random, 4000)), 'y'), 1.5};
  return contents;
}

TEST_CASE("the size is that of the encoded value, whatever the limit, and what is within it is the same bytes") {
  CheckSizes(Hold(MakeEverything()));
  CheckSizes(Hold(std::string(10'000'000, 'z')));
  const uint64_t seed = tests::Seed();
  tests::Random random(seed);
  for (int round = 0; round < 60; ++round) {
    INFO("TWINKLE_TEST_SEED=" << seed << ", round " << round);
    CheckSizes(Hold(RandomContents(random)));
  }
}

TEST_CASE("an absent value takes no bytes") {
  const absl::StatusOr<Sized> none = EncodeWithin({}, 0);
  REQUIRE(none.ok());
  CHECK(none->bytes == 0);
  CHECK(none->encoded.has_value());
}

TEST_CASE("what cannot be encoded fails as for Encode, also beyond the limit") {
  Value deep = 1;
  for (int level = 0; level < 100; ++level) deep = Value::List{std::move(deep)};
  CHECK(EncodeWithin(Hold(Value::List{std::string(9000, 'x'), deep}), 0).status() ==
        Encode(Hold(Value::List{std::string(9000, 'x'), deep})).status());
  CHECK(absl::IsInvalidArgument(EncodeWithin(Hold(std::move(deep)), 10).status()));
}

}  // namespace
}  // namespace twinkle::codec

// Large contiguous parts are referred to, not copied, on the way out and on the way in.
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/codec/values.h"

namespace twinkle::codec {
namespace {

using Large = std::vector<float>;

struct Batch {
  std::vector<std::vector<int>> ids;
  Tensor advantages;
  float temperature = 1;
  bool operator==(const Batch&) const = default;
};

const void* Start(const Buffer& buffer) { return buffer.data; }

TEST_CASE("a buffer is the value's own memory") {
  const auto large = std::make_shared<Large>(10000, 0.5F);
  const Encoded encoded = *Encode({&internal::kType<Large>, large});
  REQUIRE(encoded.buffers.size() == 1);
  CHECK(Start(encoded.buffers[0]) == large->data());
  CHECK(encoded.buffers[0].size == 40000);
  CHECK(encoded.head.size() < 16);
  CHECK(encoded.bytes() == encoded.head.size() + 40000);

  const auto batch = std::make_shared<Batch>();
  batch->ids = {{1, 2}, {3}};
  batch->advantages = TensorOf<float>(Large(8192, 1));
  const Encoded mixed = *Encode({&internal::kType<Batch>, batch});
  REQUIRE(mixed.buffers.size() == 1);
  CHECK(Start(mixed.buffers[0]) == batch->advantages.raw());
  CHECK(mixed.head.size() < 64);
}

TEST_CASE("rows that are encoded refer to the middle of the value") {
  const auto large = std::make_shared<Large>(100000);
  const std::vector<Range> ranges = {{50000, 90000}};
  const Encoded encoded = *Encode({&internal::kType<Large>, large}, &ranges);
  REQUIRE(encoded.buffers.size() == 1);
  CHECK(Start(encoded.buffers[0]) == large->data() + 50000);
  CHECK(encoded.buffers[0].size == 160000);

  const Tensor tensor = TensorOf<float>(Large(10000), {100, 100});
  const std::vector<Range> rows = {{10, 90}};
  const Encoded part = *Encode(Hold(tensor), &rows);
  REQUIRE(part.buffers.size() == 1);
  CHECK(Start(part.buffers[0]) == tensor.raw() + 4000);
  CHECK(part.buffers[0].size == 32000);
}

TEST_CASE("parts below the limit are in the head, those from it on are buffers") {
  const std::string text(kOutOfBand, 'x');
  CHECK(Encode(Hold(text.substr(1)))->buffers.empty());
  CHECK(Encode(Hold(text))->buffers.size() == 1);
  CHECK(Encode(Hold(text.substr(0, 10)), nullptr, 10)->buffers.size() == 1);
  CHECK(Encode(Hold(text.substr(0, 9)), nullptr, 10)->buffers.empty());
}

TEST_CASE("buffers keep the value alive, and nothing else does") {
  auto large = std::make_shared<Large>(10000, 0.5F);
  const std::weak_ptr<Large> watched = large;
  Encoded encoded = *Encode({&internal::kType<Large>, std::move(large)});
  REQUIRE_FALSE(watched.expired());
  float last = 0;
  std::memcpy(&last, encoded.buffers[0].data + 4 * 9999, sizeof(last));
  CHECK(last == 0.5F);
  encoded.buffers.clear();
  CHECK(watched.expired());
}

TEST_CASE("a small value is not kept alive by its encoding") {
  auto small = std::make_shared<Large>(10, 0.5F);
  const std::weak_ptr<Large> watched = small;
  const Encoded encoded = *Encode({&internal::kType<Large>, std::move(small)});
  CHECK(watched.expired());
  CHECK(*DecodeAs<Large>(encoded.head, encoded.buffers) == Large(10, 0.5F));
}

TEST_CASE("a decoded Tensor, Bytes and Array share the buffer") {
  const Encoded tensor = *Encode(Hold(TensorOf<float>(Large(5000, 2), {50, 100})));
  const Tensor read = *DecodeAs<Tensor>(tensor.head, tensor.buffers);
  CHECK(read.raw() == Start(tensor.buffers[0]));
  CHECK(read.frozen());  // others read the same memory
  const Encoded bytes = *Encode(Hold(Bytes(std::string(5000, 'b'))));
  CHECK(DecodeAs<Bytes>(bytes.head, bytes.buffers)->view().data() == Start(bytes.buffers[0]));
  const Encoded array = *Encode(Hold(Array<float>(Large(5000, 3))));
  CHECK(DecodeAs<Array<float>>(array.head, array.buffers)->data() == Start(array.buffers[0]));
  const Encoded value = *Encode(Hold(Value(Value::List{TensorOf<float>(Large(5000, 2))})));
  const Value list = *DecodeAs<Value>(value.head, value.buffers);
  CHECK(list.get_if<Value::List>()->at(0).get_if<Tensor>()->raw() == Start(value.buffers[0]));
}

TEST_CASE("what shares a buffer keeps it alive") {
  Encoded encoded = *Encode(Hold(TensorOf<float>(Large(5000, 2))));
  const std::weak_ptr<const void> watched = encoded.buffers[0].owner;
  Tensor read = *DecodeAs<Tensor>(encoded.head, encoded.buffers);
  encoded = {};
  REQUIRE_FALSE(watched.expired());
  CHECK(read.data<float>()->back() == 2);
  read = Tensor();
  CHECK(watched.expired());
}

TEST_CASE("writing to a decoded tensor makes a private copy") {
  const Encoded encoded = *Encode(Hold(TensorOf<float>(Large(5000, 2))));
  Tensor read = *DecodeAs<Tensor>(encoded.head, encoded.buffers);
  read.mutable_data<float>()->front() = 9;
  CHECK(read.data<float>()->front() == 9);
  CHECK(DecodeAs<Tensor>(encoded.head, encoded.buffers)->data<float>()->front() == 2);
}

TEST_CASE("standard containers get a copy of their own") {
  const Encoded encoded = *Encode(Hold(Large(5000, 2)));
  const Large read = *DecodeAs<Large>(encoded.head, encoded.buffers);
  CHECK(read.data() != Start(encoded.buffers[0]));
  CHECK(read == Large(5000, 2));
}

TEST_CASE("buffers without an owner, or not aligned, are copied") {
  const Encoded encoded = *Encode(Hold(Array<double>(std::vector<double>(1000, 4))));
  std::vector<std::byte> moved(8001);
  std::memcpy(moved.data() + 1, encoded.buffers[0].data, 8000);
  const auto owner = std::make_shared<int>();
  for (const bool owned : {false, true}) {
    const std::vector<Buffer> buffers = {{moved.data() + 1, 8000, owned ? owner : nullptr}};
    const auto read = DecodeAs<Array<double>>(encoded.head, buffers);
    REQUIRE(read.ok());
    CHECK(read->owner() != owner);
    CHECK((*read == Array<double>(std::vector<double>(1000, 4))));
  }
  const Encoded tensor = *Encode(Hold(TensorOf<uint8_t>(std::vector<uint8_t>(5000, 7))));
  const std::vector<Buffer> unowned = {{tensor.buffers[0].data, 5000, nullptr}};
  CHECK(DecodeAs<Tensor>(tensor.head, unowned)->raw() != Start(unowned[0]));
}

TEST_CASE("contiguous parts in the head are aligned there, whatever comes before them") {
  using Odd = std::pair<std::string, std::vector<double>>;
  for (size_t length = 0; length < 20; ++length) {
    CheckRoundTrip(Odd{std::string(length, 'o'), {1.5, 2.5}});
    const Encoded encoded = *Encode(Hold(Odd{std::string(length, 'o'), {1.5, 2.5}}));
    double first = 0;
    std::memcpy(&first, encoded.head.data() + encoded.head.size() - 16, sizeof(first));
    CHECK(first == 1.5);
    CHECK(encoded.head.size() % 8 == 0);
  }
}

TEST_CASE("nothing of a void result is encoded") {
  const absl::StatusOr<Encoded> encoded = Encode(Described{});
  REQUIRE(encoded.ok());
  CHECK(encoded->head.empty());
  CHECK(encoded->buffers.empty());
  CHECK(encoded->bytes() == 0);
}

}  // namespace
}  // namespace twinkle::codec

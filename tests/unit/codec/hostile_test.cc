// Whatever the bytes are, decoding ends with a status, within its limits.
#include <absl/strings/match.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/random.h"
#include "tests/unit/codec/values.h"

namespace twinkle::codec {
namespace {

using tests::Below;
using tests::OneIn;
using tests::Random;

constexpr size_t kSmallBuffers = 64;  // so that there are many
const Limits kTight{.depth = 64, .bytes = size_t{16} << 20};

template <class T>
absl::Status Refusal(std::string_view head, const std::vector<Buffer>& buffers = {}, const Limits& limits = {}) {
  return DecodeAs<T>(head, buffers, limits).status();
}
template <class T>
bool IsRefused(std::string_view head, const Limits& limits = {}) {
  return absl::IsInvalidArgument(Refusal<T>(head, {}, limits));
}

// A number as the head has it.
std::string Varint(uint64_t number) {
  std::string bytes;
  for (; number >= 128; number >>= 7) bytes.push_back(static_cast<char>(number | 128));
  bytes.push_back(static_cast<char>(number));
  return bytes;
}

TEST_CASE("every truncation is refused") {
  const Encoded encoded = *Encode(Hold(MakeEverything()), nullptr, kSmallBuffers);
  const std::string_view head = encoded.head;
  REQUIRE(Refusal<Everything>(head, encoded.buffers, kTight).ok());
  size_t accepted = 0;
  for (size_t length = 0; length < head.size(); ++length) {
    if (!absl::IsInvalidArgument(Refusal<Everything>(head.substr(0, length), encoded.buffers, kTight))) ++accepted;
  }
  CHECK(accepted == 0);
}

TEST_CASE("bytes and buffers that are left over are refused") {
  Encoded encoded = *Encode(Hold(MakeEverything()), nullptr, kSmallBuffers);
  CHECK(absl::IsInvalidArgument(Refusal<Everything>(encoded.head + std::string(1, '\0'), encoded.buffers)));
  encoded.buffers.push_back({});
  CHECK(absl::IsInvalidArgument(Refusal<Everything>(encoded.head, encoded.buffers)));
  CHECK(IsRefused<int>(std::string(5, '\0')));
  CHECK(IsRefused<int>(""));
}

// ---- messages of other builds
struct Told {
  int64_t number = 1;
  std::string text = "none";
};
struct ToldMore {
  int64_t number = 1;
  std::string text = "none";
  std::vector<Bytes> parts;
  bool last = true;
};
struct Mark {
  uint64_t at = 7;
};
struct WideMark {
  uint64_t at = 7;
  uint32_t width = 3;
};
using Messages = std::variant<Mark, Told>;
using LaterMessages = std::variant<WideMark, ToldMore>;

template <class To, class From>
absl::StatusOr<To> Heard(const From& message) {
  const Encoded encoded = *Encode(Hold(message), nullptr, kSmallBuffers);
  To to;
  const absl::Status heard = Decode(internal::kType<To>, &to, encoded.head, encoded.buffers, {.open_ended = true});
  if (!heard.ok()) return heard;
  return to;
}

TEST_CASE("members of a message that are not known are skipped, and those that did not come are what they are") {
  ToldMore more{5, "five", {Bytes(std::string(100, 'b')), Bytes("in the head")}, false};
  const auto known = Heard<Messages>(LaterMessages(more));
  REQUIRE(known.ok());
  CHECK(std::get<Told>(*known).number == 5);
  CHECK(std::get<Told>(*known).text == "five");
  const auto lacking = Heard<LaterMessages>(Messages(Told{6, "six"}));
  REQUIRE(lacking.ok());
  CHECK(std::get<ToldMore>(*lacking).text == "six");
  CHECK(std::get<ToldMore>(*lacking).parts.empty());
  CHECK(std::get<ToldMore>(*lacking).last);
  CHECK(std::get<Mark>(*Heard<Messages>(LaterMessages(WideMark{9, 4}))).at == 9);
  const WideMark mark = std::get<WideMark>(*Heard<LaterMessages>(Messages(Mark{9})));
  CHECK(mark.at == 9);
  CHECK(mark.width == 3);
  CHECK(Heard<Told>(more)->text == "five");
  CHECK(IsRefused<Told>(Encode(Hold(more), nullptr, kSmallBuffers)->head));  // what is no message is as it must be
  CHECK(absl::IsInvalidArgument(Heard<std::vector<Told>>(std::vector<ToldMore>{more, more}).status()));
}

TEST_CASE("buffers that are missing or of another size are refused") {
  const Encoded encoded = *Encode(Hold(MakeEverything()), nullptr, kSmallBuffers);
  REQUIRE(encoded.buffers.size() >= 2);
  for (size_t i = 0; i < encoded.buffers.size(); ++i) {
    std::vector<Buffer> missing = encoded.buffers;
    missing.erase(missing.begin() + static_cast<ptrdiff_t>(i));
    CHECK(absl::IsInvalidArgument(Refusal<Everything>(encoded.head, missing)));
    std::vector<Buffer> shorter = encoded.buffers;
    --shorter[i].size;
    CHECK(absl::IsInvalidArgument(Refusal<Everything>(encoded.head, shorter)));
  }
  CHECK(absl::IsInvalidArgument(Refusal<Everything>(encoded.head, {})));
}

TEST_CASE("a buffer that did not come gives its reason to whoever needs it") {
  const Encoded encoded = *Encode(Hold(Array<float>(std::vector<float>(1000, 1))));
  REQUIRE(encoded.buffers.size() == 1);
  const Buffer missing = Missing(encoded.buffers[0].size, absl::ResourceExhaustedError("no descriptor"));
  CHECK(CheckThere(encoded.buffers[0]).ok());
  CHECK(CheckThere(missing) == absl::ResourceExhaustedError("no descriptor"));
  CHECK(Refusal<Array<float>>(encoded.head, {missing}) == absl::ResourceExhaustedError("no descriptor"));
  CHECK(Refusal<std::vector<float>>(encoded.head, {missing}) == absl::ResourceExhaustedError("no descriptor"));
  const Encoded bytes = *Encode(Hold(Bytes(std::string(4000, 'x'))));
  const absl::StatusOr<Bytes> passed =
      DecodeAs<Bytes>(bytes.head, std::vector<Buffer>{Missing(4000, CheckThere(missing))});
  REQUIRE(passed.ok());
  CHECK(passed->view().data() == nullptr);
  CHECK(passed->size() == 4000);
}

TEST_CASE("thousands of changed heads: a status or a value that can be used, never worse") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  Random random(seed);
  const Encoded encoded = *Encode(Hold(MakeEverything()), nullptr, kSmallBuffers);
  size_t refused = 0;
  constexpr int kTries = 6000;
  for (int i = 0; i < kTries; ++i) {
    std::string head = encoded.head;
    for (int changes = 1 + Below(random, 4); changes > 0; --changes) {
      head[random() % head.size()] = OneIn(random, 3) ? static_cast<char>(0xff) : static_cast<char>(random());
    }
    absl::StatusOr<Everything> changed = DecodeAs<Everything>(head, encoded.buffers, kTight);
    if (!changed.ok()) {
      ++refused;
      continue;
    }
    const auto shared = std::make_shared<Everything>(*std::move(changed));  // it is whole: it can be sent on
    CHECK(Encode({&internal::kType<Everything>, shared}).ok());
  }
  CHECK(refused > 0);
}

TEST_CASE("random bytes") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  Random random(seed);
  for (int i = 0; i < 6000; ++i) {
    std::string head(random() % 40, '\0');
    for (char& byte : head) byte = OneIn(random, 2) ? static_cast<char>(random() % 9) : static_cast<char>(random());
    const auto value = DecodeAs<Value>(head, {}, kTight);
    if (value.ok()) CHECK(Sent(*value).ok());
    DecodeAs<Everything>(head, {}, kTight).IgnoreError();
    DecodeAs<std::vector<Tensor>>(head, {}, kTight).IgnoreError();
  }
}

TEST_CASE("lengths beyond the data are refused before memory is taken") {
  constexpr uint64_t kMost = ~uint64_t{0} >> 1;
  for (const uint64_t length : {kMost, kMost - 1, uint64_t{1} << 50, (uint64_t{1} << 32) + 1}) {
    const std::string huge = Varint(length);  // of contiguous parts the last bit says whether they are a buffer
    CHECK(IsRefused<std::string>(huge));
    CHECK(IsRefused<std::vector<std::string>>(huge));
    CHECK(IsRefused<std::vector<double>>(huge));
    CHECK(IsRefused<std::vector<Empty>>(huge));
    CHECK(IsRefused<std::vector<bool>>(huge));
    CHECK(IsRefused<Array<float>>(huge));
    CHECK(IsRefused<Bytes>(huge));
    CHECK((IsRefused<std::map<std::string, int>>(huge)));
    CHECK(IsRefused<std::set<int>>(huge));
    CHECK(IsRefused<Value>("\x05" + huge));
    CHECK(IsRefused<Value>("\x06" + huge));
    CHECK(IsRefused<Value>("\x07" + huge));
  }
  CHECK(IsRefused<std::vector<double>>(Varint(uint64_t{1} << 62)));        // times 8 would be small
  CHECK(IsRefused<std::vector<double>>(std::string(9, '\xff') + '\x7f'));  // more than 64 bits
  CHECK(IsRefused<std::vector<double>>(std::string(30, '\xff')));
}

struct WideItem {
  double numbers[64] = {};
  bool operator==(const WideItem&) const = default;
};

TEST_CASE("a number of items whose bytes overflow is refused, whether they are here or in a buffer") {
  const auto owner = std::make_shared<int>(0);
  for (int shift = 40; shift < 63; ++shift) {
    for (const uint64_t more : {0, 1}) {
      const uint64_t length = ((uint64_t{1} << shift) + more) << 1;
      for (const size_t bytes : {size_t{0}, sizeof(WideItem)}) {
        const std::vector<Buffer> buffers = {{reinterpret_cast<const std::byte*>(owner.get()), bytes, owner}};
        CHECK(absl::IsInvalidArgument(Refusal<Array<WideItem>>(Varint(length | 1), buffers)));
        CHECK(absl::IsInvalidArgument(Refusal<std::vector<WideItem>>(Varint(length | 1), buffers)));
        CHECK(absl::IsInvalidArgument(Refusal<Array<Point>>(Varint(length | 1), buffers)));
      }
      CHECK(IsRefused<Array<WideItem>>(Varint(length)));
      CHECK(IsRefused<std::vector<WideItem>>(Varint(length)));
    }
  }
}

TEST_CASE("tensors that make no sense are refused") {
  const auto tensor = [](uint64_t dtype, const std::vector<uint64_t>& shape, size_t bytes = 0) {
    std::string head = Varint(dtype) + Varint(shape.size() << 1);
    for (const uint64_t size : shape) head += Varint(size);
    if (bytes > 0) head.resize((head.size() + 7) / 8 * 8 + bytes);
    return head;
  };
  CHECK(DecodeAs<Tensor>(tensor(5, {2, 1}, 8), {}).ok());
  CHECK(IsRefused<Tensor>(tensor(kDTypeCount, {0})));
  CHECK(IsRefused<Tensor>(tensor(5, {~uint64_t{0}})));
  CHECK(IsRefused<Tensor>(tensor(5, {uint64_t{1} << 32, uint64_t{1} << 32})));
  CHECK(IsRefused<Tensor>(tensor(5, {uint64_t{1} << 33, 0, uint64_t{1} << 33})));
  CHECK(IsRefused<Tensor>(tensor(static_cast<uint64_t>(DType::kComplex128), {uint64_t{1} << 53, 0})));
  CHECK(DecodeAs<Tensor>(tensor(static_cast<uint64_t>(DType::kComplex128), {uint64_t{1} << 52, 0}), {}).ok());
  CHECK(IsRefused<Tensor>(tensor(5, std::vector<uint64_t>(65, 1), 4)));
  CHECK(IsRefused<Tensor>(tensor(5, {3}, 8)));
  CHECK(IsRefused<Tensor>(tensor(5, {1}, 8)));
  std::string bools = tensor(0, {1}, 1);
  CHECK(DecodeAs<Tensor>(bools, {}).ok());
  bools.back() = 2;
  CHECK(IsRefused<Tensor>(bools));
}

TEST_CASE("values that the type does not have are refused") {
  CHECK(IsRefused<bool>("\x02"));
  CHECK(IsRefused<std::vector<bool>>(Varint(2) + "\x07"));
  CHECK(IsRefused<std::optional<int>>("\x02\x01\x01\x01\x01"));
  CHECK((IsRefused<std::variant<std::monostate, int>>("\x02")));
  CHECK(IsRefused<Value>("\x09"));
  CHECK(IsRefused<Value>("\x01\x02"));
  const std::string twice = Varint(2) + Varint(2) + "a" + "\x01" + Varint(2) + "a" + "\x02";
  CHECK((IsRefused<std::map<std::string, int8_t>>(twice)));
  CHECK(IsRefused<std::set<int8_t>>(Varint(2) + "\x05\x05"));
}

TEST_CASE("nesting ends at the limit") {
  std::string lists;
  std::string nodes;
  for (int i = 0; i < 100000; ++i) {
    lists += "\x05\x01";
    nodes += std::string("\0\x01", 2);
  }
  CHECK(absl::StrContains(Refusal<Value>(lists).message(), "too deep"));
  CHECK(absl::StrContains(Refusal<Node>(nodes).message(), "too deep"));
  Value deep;
  for (int i = 0; i < 63; ++i) deep = Value::List{deep};
  CHECK((*Sent(deep) == deep));
  deep = Value::List{deep};
  CHECK(absl::IsInvalidArgument(Sent(deep).status()));
  const Encoded shallow = *Encode(Hold(Value(Value::List{Value(Value::List{1})})));
  CHECK(Refusal<Value>(shallow.head, {}, {.depth = 3}).ok());
  CHECK(absl::StrContains(Refusal<Value>(shallow.head, {}, {.depth = 2}).message(), "too deep"));
}

TEST_CASE("memory beyond the shared buffers is bounded by the budget") {
  using Sparse = std::vector<std::optional<std::array<char, 4096>>>;  // a byte in the head, 4 KiB in memory
  const std::string many = Varint(1 << 20) + std::string(1 << 20, '\0');
  CHECK(absl::StrContains(Refusal<Sparse>(many).message(), "larger than the limit"));
  CHECK(absl::StrContains(Refusal<Sparse>(many, {}, kTight).message(), "larger than the limit"));
  const std::string some = Varint(1000) + std::string(1000, '\0');
  CHECK(Refusal<Sparse>(some, {}, kTight).ok());
  CHECK_FALSE(Refusal<Sparse>(some, {}, {.depth = 64, .bytes = 1 << 20}).ok());

  const Encoded strings = *Encode(Hold(std::vector<std::string>(100, std::string(1000, 's'))));
  CHECK(Refusal<std::vector<std::string>>(strings.head, {}, {.depth = 64, .bytes = 200000}).ok());
  CHECK_FALSE(Refusal<std::vector<std::string>>(strings.head, {}, {.depth = 64, .bytes = 90000}).ok());
}

TEST_CASE("buffers that are shared are not charged, those that are copied are") {
  const Limits little{.depth = 64, .bytes = 1000};
  const Encoded tensor = *Encode(Hold(TensorOf<float>(std::vector<float>(10000, 1))));
  CHECK(Refusal<Tensor>(tensor.head, tensor.buffers, little).ok());
  const Encoded list = *Encode(Hold(std::vector<float>(10000, 1)));
  CHECK(absl::StrContains(Refusal<std::vector<float>>(list.head, list.buffers, little).message(), "the limit"));
  const Encoded array = *Encode(Hold(Array<float>(std::vector<float>(10000, 1))));
  CHECK(Refusal<Array<float>>(array.head, array.buffers, little).ok());
  const Encoded text = *Encode(Hold(std::string(10000, 't')));
  CHECK_FALSE(Refusal<std::string>(text.head, text.buffers, little).ok());
}

TEST_CASE("the bytes of another type are refused, or are a value of this one") {
  const Encoded encoded = *Encode(Hold(MakeEverything()));
  CHECK_FALSE(DecodeAs<Value>(encoded.head, encoded.buffers).ok());
  CHECK_FALSE(DecodeAs<Tensor>(encoded.head, encoded.buffers).ok());
  CHECK_FALSE(DecodeAs<std::vector<std::string>>(encoded.head, encoded.buffers).ok());
}

}  // namespace
}  // namespace twinkle::codec

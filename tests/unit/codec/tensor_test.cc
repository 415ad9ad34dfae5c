#include <absl/strings/match.h>
#include <twinkle/tensor.h>

#include <bit>
#include <cmath>
#include <complex>
#include <limits>
#include <memory>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/codec/values.h"

namespace twinkle {
namespace {

using codec::TensorOf;
using Shape = std::vector<int64_t>;
using Ints = std::vector<int64_t>;

Ints Elements(const Tensor& tensor) {
  const auto elements = tensor.data<int64_t>();
  REQUIRE(elements.ok());
  return {elements->begin(), elements->end()};
}

// ---- making them -------------------------------------------------------------------------------
TEST_CASE("a vector becomes a tensor of the shape asked for, by default of one dimension") {
  const Tensor flat = TensorOf<int64_t>({1, 2, 3, 4, 5, 6});
  CHECK(flat.shape() == Shape{6});
  CHECK(flat.dtype() == DType::kInt64);
  const Tensor tensor = TensorOf<int64_t>({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(tensor.shape() == Shape{2, 3});
  CHECK(tensor.strides() == Shape{3, 1});
  CHECK(tensor.rows() == 2);
  CHECK(tensor.size() == 6);
  CHECK(tensor.bytes() == 48);
  CHECK(tensor.contiguous());
  CHECK(Elements(tensor) == Ints{1, 2, 3, 4, 5, 6});
}

TEST_CASE("a scalar has no dimensions and no rows") {
  const Tensor scalar = TensorOf<double>({2.5}, {});
  CHECK(scalar.rows() == -1);
  CHECK(scalar.size() == 1);
  CHECK(scalar.data<double>()->front() == 2.5);
  CHECK(scalar.Rows(0, 0).data<double>()->front() == 2.5);
}

TEST_CASE("shapes that do not hold the elements are refused") {
  const auto refused = [](std::vector<float> elements, Shape shape) {
    return absl::IsInvalidArgument(Tensor::FromVector<float>(std::move(elements), std::move(shape)).status());
  };
  CHECK(refused({1, 2, 3}, {2}));
  CHECK(refused({1, 2, 3}, {2, 2}));
  CHECK(refused({1, 2}, {-1, -2}));
  CHECK(refused({}, {}));
  CHECK(refused({1, 2}, {0, 2}));
  CHECK(refused({1}, {int64_t{1} << 40, int64_t{1} << 40}));
  CHECK_FALSE(refused({}, {0, 7}));
  CHECK_FALSE(refused({1, 2}, {1, 2, 1}));
}

TEST_CASE("zeros, and shapes that are too large for them") {
  const Tensor zeros = *Tensor::Zeros(DType::kInt64, {2, 2});
  CHECK(Elements(zeros) == Ints{0, 0, 0, 0});
  CHECK(Tensor::Zeros(DType::kFloat32, {0, 3})->shape() == Shape{0, 3});
  CHECK(absl::IsInvalidArgument(Tensor::Zeros(DType::kFloat32, {2, -1}).status()));
  CHECK(absl::IsInvalidArgument(Tensor::Zeros(DType::kUint8, {int64_t{1} << 57}).status()));
}

TEST_CASE("a default tensor is empty and harmless") {
  Tensor tensor;
  CHECK(tensor.shape() == Shape{0});
  CHECK(tensor.dtype() == DType::kFloat32);
  CHECK(tensor.raw() == nullptr);
  CHECK(tensor.data<float>()->empty());
  CHECK(tensor.mutable_data<float>()->empty());
  CHECK(tensor.Rows(0, 5).rows() == 0);
  CHECK((tensor == *Tensor::Zeros(DType::kFloat32, {0})));
  tensor.Freeze();
}

TEST_CASE("elements of every type, by name and size") {
  CHECK(TensorOf<bool>({true}).dtype() == DType::kBool);
  CHECK(TensorOf<int16_t>({-1, 1}).bytes() == 4);
  CHECK(TensorOf<BFloat16>({BFloat16(1)}).bytes() == 2);
  CHECK(TensorOf<Float8E5M2>({Float8E5M2(1)}).bytes() == 1);
  CHECK(TensorOf<std::complex<double>>({{1, 2}}).bytes() == 16);
  CHECK(TensorOf<std::complex<float>>({{1, 2}}).data<std::complex<float>>()->front().imag() == 2);
  const Tensor flags = TensorOf<bool>({true, false});
  CHECK(flags.data<bool>()->front());
  CHECK_FALSE(flags.data<bool>()->back());
}

TEST_CASE("elements are only given as what they are") {
  Tensor tensor = TensorOf<float>({1, 2});
  const absl::Status status = tensor.data<double>().status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(absl::StrContains(status.message(), "float64 elements of a float32 tensor"));
  CHECK(absl::IsInvalidArgument(tensor.mutable_data<int32_t>().status()));
}

// ---- sharing -----------------------------------------------------------------------------------
TEST_CASE("copies and row views share memory, and keep it") {
  Tensor rows;
  {
    const Tensor tensor = TensorOf<int64_t>({1, 2, 3, 4, 5, 6}, {3, 2});
    const Tensor copy = tensor;
    CHECK(copy.raw() == tensor.raw());
    rows = tensor.Rows(1, 3);
    CHECK(rows.raw() == tensor.raw() + 16);
    CHECK(rows.Rows(1, 2).raw() == tensor.raw() + 32);
  }
  CHECK(rows.shape() == Shape{2, 2});
  CHECK(Elements(rows) == Ints{3, 4, 5, 6});
  CHECK(Elements(rows.Rows(1, 2)) == Ints{5, 6});
}

TEST_CASE("row ranges are clamped to the rows there are") {
  const Tensor tensor = TensorOf<int64_t>({1, 2, 3});
  CHECK(Elements(tensor.Rows(-5, 2)) == Ints{1, 2});
  CHECK(Elements(tensor.Rows(1, 100)) == Ints{2, 3});
  CHECK(Elements(tensor.Rows(2, 1)).empty());
  CHECK(Elements(tensor.Rows(7, 9)).empty());
}

TEST_CASE("the only owner writes in place, anybody else to a private copy") {
  Tensor tensor = TensorOf<int64_t>({1, 2, 3});
  const std::byte* before = tensor.raw();
  (*tensor.mutable_data<int64_t>())[0] = 10;
  CHECK(tensor.raw() == before);
  const Tensor copy = tensor;
  (*tensor.mutable_data<int64_t>())[1] = 20;
  CHECK(tensor.raw() != before);
  CHECK(Elements(copy) == Ints{10, 2, 3});
  CHECK(Elements(tensor) == Ints{10, 20, 3});
}

TEST_CASE("writing to a row view copies the rows alone, unless the rest is gone") {
  Tensor whole = TensorOf<int64_t>({1, 2, 3, 4}, {4, 1});
  Tensor rows = whole.Rows(1, 3);
  (*rows.mutable_data<int64_t>())[0] = 20;
  CHECK(Elements(whole) == Ints{1, 2, 3, 4});
  CHECK(Elements(rows) == Ints{20, 3});
  Tensor last = whole.Rows(3, 4);
  const std::byte* before = last.raw();
  whole = Tensor();
  (*last.mutable_data<int64_t>())[0] = 40;
  CHECK(last.raw() == before);
}

TEST_CASE("frozen memory is never written, whoever holds it") {
  Tensor tensor = TensorOf<int64_t>({1, 2});
  CHECK_FALSE(tensor.frozen());
  tensor.Freeze();
  CHECK(tensor.frozen());
  CHECK(tensor.Rows(0, 1).frozen());
  const std::byte* before = tensor.raw();
  (*tensor.mutable_data<int64_t>())[0] = 10;
  CHECK(tensor.raw() != before);
  CHECK_FALSE(tensor.frozen());  // the copy is its own
  CHECK(Elements(tensor) == Ints{10, 2});
}

TEST_CASE("memory from outside is not written, unless it was handed over") {
  const auto owner = std::make_shared<Ints>(Ints{1, 2});
  const auto* data = reinterpret_cast<const std::byte*>(owner->data());
  Tensor lent = *Tensor::FromBuffer(DType::kInt64, {2}, owner, data, false);
  CHECK_FALSE(lent.CanBeAdopted());
  (*lent.mutable_data<int64_t>())[0] = 10;
  CHECK(*owner == Ints{1, 2});
  CHECK(Elements(lent) == Ints{10, 2});
}

// ---- comparing ---------------------------------------------------------------------------------
TEST_CASE("tensors are equal in element type, shape and elements") {
  const Tensor tensor = TensorOf<int64_t>({1, 2, 3, 4}, {2, 2});
  CHECK((tensor == TensorOf<int64_t>({1, 2, 3, 4}, {2, 2})));
  CHECK_FALSE((tensor == TensorOf<int64_t>({1, 2, 3, 4})));
  CHECK_FALSE((tensor == TensorOf<int64_t>({1, 2, 3, 5}, {2, 2})));
  CHECK_FALSE((TensorOf<float>({1}) == TensorOf<double>({1})));
  CHECK_FALSE((*Tensor::Zeros(DType::kBool, {0, 2}) == *Tensor::Zeros(DType::kBool, {0, 3})));
  CHECK((TensorOf<float>({0.0F}) == TensorOf<float>({-0.0F})));
}

TEST_CASE("nan differs from nan, in every type that has one") {
  const Tensor single = TensorOf<float>({std::nanf("")});
  CHECK_FALSE((single == single));
  const Tensor twice = TensorOf<double>({std::nan("")});
  CHECK_FALSE((twice == twice));
  const Tensor half = TensorOf<BFloat16>({BFloat16(std::nanf(""))});
  CHECK_FALSE((half == half));
  const Tensor eighth = TensorOf<Float8E4M3Fnuz>({Float8E4M3Fnuz(std::nanf(""))});
  CHECK_FALSE((eighth == eighth));
  const Tensor complex = TensorOf<std::complex<float>>({{1, std::nanf("")}});
  CHECK_FALSE((complex == complex));
}

TEST_CASE("numbers are compared as numbers: 0 is -0, in every type that has both") {
  CHECK((TensorOf<Float16>({Float16(0.0F)}) == TensorOf<Float16>({Float16(-0.0F)})));
  CHECK((TensorOf<Float8E5M2>({Float8E5M2(0.0F)}) == TensorOf<Float8E5M2>({Float8E5M2(-0.0F)})));
  CHECK((TensorOf<std::complex<double>>({{0, -0.0}}) == TensorOf<std::complex<double>>({{-0.0, 0}})));
  CHECK_FALSE((TensorOf<std::complex<double>>({{0, 1}}) == TensorOf<std::complex<double>>({{0, -1}})));
  CHECK_FALSE((TensorOf<uint64_t>({~uint64_t{0}}) == TensorOf<uint64_t>({~uint64_t{0} - 1})));
}

// ---- bfloat16 ----------------------------------------------------------------------------------
TEST_CASE("bfloat16 rounds to nearest, ties to even") {
  CHECK(BFloat16(1.0F).bits == 0x3f80);
  CHECK(BFloat16(1.00390625F).bits == 0x3f80);  // half way from 1 to the next: 1 is even
  CHECK(BFloat16(1.01171875F).bits == 0x3f82);  // half way from the next on
  CHECK(BFloat16(std::nextafter(1.00390625F, 2.0F)).bits == 0x3f81);
  CHECK(BFloat16(std::nextafter(1.01171875F, 1.0F)).bits == 0x3f81);
  CHECK(BFloat16(-1.00390625F).bits == 0xbf80);
  CHECK(BFloat16(-0.0F).bits == 0x8000);
  CHECK(static_cast<float>(BFloat16(-2.5F)) == -2.5F);
}

TEST_CASE("bfloat16 keeps infinities and nan, and large numbers become infinite") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  CHECK(static_cast<float>(BFloat16(kInfinity)) == kInfinity);
  CHECK(static_cast<float>(BFloat16(-kInfinity)) == -kInfinity);
  CHECK(static_cast<float>(BFloat16(std::numeric_limits<float>::max())) == kInfinity);
  CHECK(std::isnan(static_cast<float>(BFloat16(std::nanf("")))));
  CHECK(std::isnan(static_cast<float>(BFloat16(std::bit_cast<float>(0x7f800001U)))));  // its only bit is cut off
}

TEST_CASE("a tensor that no memory is there for is refused") {
  const std::vector<int64_t> shape = {int64_t{1} << 20, int64_t{1} << 23};  // of 32 TiB
  CHECK(absl::IsResourceExhausted(Tensor::Zeros(DType::kFloat32, shape).status()));
  const absl::Status refused = Tensor::Empty(DType::kFloat32, shape).status();
  CHECK(absl::IsResourceExhausted(refused));
  CHECK(refused.message() == "there is no memory for a tensor of 32.0 TiB");
  const std::byte one{};
  const auto view = Tensor::FromBuffer(DType::kUint8, shape, std::make_shared<int>(0), &one, true);  // never read
  REQUIRE(view.ok());
  Tensor frozen = *view;
  CHECK(absl::IsResourceExhausted(frozen.mutable_data<uint8_t>().status()));
}

TEST_CASE("every bfloat16 survives the way to float and back") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    BFloat16 number;
    number.bits = static_cast<uint16_t>(bits);
    const BFloat16 back(static_cast<float>(number));
    if (std::isnan(static_cast<float>(number)) ? !std::isnan(static_cast<float>(back)) : back.bits != bits) {
      FAIL("0x" << std::hex << bits << " becomes 0x" << back.bits);
    }
  }
}

}  // namespace
}  // namespace twinkle

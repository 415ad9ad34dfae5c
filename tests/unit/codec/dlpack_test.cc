// Tensors that come from and go to other libraries.
#include <absl/strings/match.h>
#include <dlpack/dlpack.h>
#include <twinkle/tensor.h>

#include <memory>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/codec/values.h"

namespace twinkle {
namespace {

using codec::TensorOf;
using Shape = std::vector<int64_t>;

// A tensor of another library, which counts how often it is given back.
struct Foreign {
  std::vector<int32_t> elements;
  Shape shape;
  Shape strides;
  int deleted = 0;
  DLManagedTensor managed{};

  Foreign(std::vector<int32_t> given, Shape its_shape, Shape its_strides = {})
      : elements(std::move(given)), shape(std::move(its_shape)), strides(std::move(its_strides)) {
    DLTensor& tensor = managed.dl_tensor;
    tensor.data = elements.data();
    tensor.device = {kDLCPU, 0};
    tensor.ndim = static_cast<int32_t>(shape.size());
    tensor.dtype = {kDLInt, 32, 1};
    tensor.shape = shape.data();
    tensor.strides = strides.empty() ? nullptr : strides.data();
    managed.manager_ctx = this;
    managed.deleter = [](DLManagedTensor* self) { ++static_cast<Foreign*>(self->manager_ctx)->deleted; };
  }
  Foreign(const Foreign&) = delete;
  Foreign& operator=(const Foreign&) = delete;
};

std::vector<int32_t> Int32s(const Tensor& tensor) {
  const Tensor packed = tensor.Contiguous();
  const auto elements = packed.data<int32_t>();
  REQUIRE(elements.ok());
  return {elements->begin(), elements->end()};
}

TEST_CASE("an imported tensor refers to the other library's memory and gives it back once") {
  Foreign foreign({1, 2, 3, 4, 5, 6}, {2, 3});
  {
    Tensor rows;
    {
      const absl::StatusOr<Tensor> tensor = Tensor::FromDLPack(&foreign.managed);
      REQUIRE(tensor.ok());
      CHECK(tensor->shape() == Shape{2, 3});
      CHECK(static_cast<const void*>(tensor->raw()) == foreign.elements.data());
      CHECK(Int32s(*tensor) == std::vector<int32_t>{1, 2, 3, 4, 5, 6});
      const Tensor copy = *tensor;
      rows = copy.Rows(1, 2);
    }
    CHECK(foreign.deleted == 0);
    CHECK(Int32s(rows) == std::vector<int32_t>{4, 5, 6});
  }
  CHECK(foreign.deleted == 1);
}

TEST_CASE("an imported tensor may have any strides and an offset") {
  Foreign columns({1, 2, 3, 4, 5, 6}, {3, 2}, {1, 3});
  const Tensor transposed = *Tensor::FromDLPack(&columns.managed);
  CHECK_FALSE(transposed.contiguous());
  CHECK(absl::IsInvalidArgument(transposed.data<int32_t>().status()));
  CHECK(Int32s(transposed) == std::vector<int32_t>{1, 4, 2, 5, 3, 6});
  CHECK(Int32s(transposed.Rows(1, 3)) == std::vector<int32_t>{2, 5, 3, 6});

  Foreign backwards({1, 2, 3, 4}, {3}, {-1});
  backwards.managed.dl_tensor.byte_offset = 12;
  CHECK(Int32s(*Tensor::FromDLPack(&backwards.managed)) == std::vector<int32_t>{4, 3, 2});
  CHECK(backwards.deleted == 1);

  Foreign repeated({7}, {4}, {0});
  CHECK(Int32s(*Tensor::FromDLPack(&repeated.managed)) == std::vector<int32_t>{7, 7, 7, 7});
}

TEST_CASE("a dimension of one or no elements has no stride of its own") {
  const auto strides_of = [](Shape shape, Shape given) {
    Foreign foreign({1, 2, 3, 4, 5, 6}, std::move(shape), std::move(given));
    const Tensor tensor = *Tensor::FromDLPack(&foreign.managed);
    CHECK(tensor.contiguous());
    CHECK(tensor.data<int32_t>().ok());
    return tensor.strides();
  };
  CHECK(strides_of({1, 6}, {99, 1}) == Shape{6, 1});
  CHECK(strides_of({6, 1}, {1, 77}) == Shape{1, 1});
  CHECK(strides_of({2, 1, 3}, {3, -5, 1}) == Shape{3, 3, 1});
  CHECK(strides_of({1, 1}, {0, 0}) == Shape{1, 1});
  CHECK(strides_of({0, 3}, {7, 9}) == Shape{3, 1});
  CHECK(strides_of({3, 0}, {7, 9}) == Shape{1, 1});
}

TEST_CASE("of a strided tensor one row or none is contiguous if the row is") {
  Foreign wide({1, 2, 3, 4, 5, 6}, {3, 1}, {2, 9});  // every other element
  const Tensor tensor = *Tensor::FromDLPack(&wide.managed);
  CHECK_FALSE(tensor.contiguous());
  CHECK(tensor.Rows(1, 2).strides() == Shape{1, 1});
  CHECK(tensor.Rows(1, 2).data<int32_t>()->front() == 3);
  CHECK(tensor.Rows(2, 2).strides() == Shape{1, 1});
  Foreign columns({1, 2, 3, 4, 5, 6}, {3, 2}, {1, 3});
  CHECK_FALSE(Tensor::FromDLPack(&columns.managed)->Rows(1, 2).contiguous());
}

TEST_CASE("a strided tensor is sent packed") {
  Foreign columns({1, 2, 3, 4, 5, 6}, {3, 2}, {1, 3});
  const Tensor transposed = *Tensor::FromDLPack(&columns.managed);
  const Tensor sent = *codec::Sent(transposed);
  CHECK((sent == transposed));
  CHECK(sent.contiguous());
  const std::vector<codec::Range> rows = {{1, 3}};
  const codec::Encoded part = *codec::Encode(codec::Hold(transposed), &rows, 1);
  CHECK((*codec::DecodeAs<Tensor>(part.head, part.buffers) == TensorOf<int32_t>({2, 5, 3, 6}, {2, 2})));
}

TEST_CASE("an imported scalar and an imported empty tensor") {
  Foreign scalar({5}, {});
  CHECK(Int32s(*Tensor::FromDLPack(&scalar.managed)) == std::vector<int32_t>{5});
  Foreign none({}, {0, 4});
  const Tensor empty = *Tensor::FromDLPack(&none.managed);
  CHECK(empty.shape() == Shape{0, 4});
  CHECK(Int32s(empty).empty());
}

TEST_CASE("writing to an imported tensor makes a private copy") {
  Foreign foreign({1, 2}, {2});
  Tensor tensor = *Tensor::FromDLPack(&foreign.managed);
  (*tensor.mutable_data<int32_t>())[0] = 10;
  CHECK(foreign.elements[0] == 1);
  CHECK(Int32s(tensor) == std::vector<int32_t>{10, 2});
  CHECK(foreign.deleted == 1);  // nobody refers to it any more
}

TEST_CASE("what cannot be imported is given back at once") {
  const auto refused = [](Foreign& foreign) {
    const absl::Status status = Tensor::FromDLPack(&foreign.managed).status();
    CHECK(foreign.deleted == 1);
    return absl::IsInvalidArgument(status);
  };
  Foreign on_device({1}, {1});
  on_device.managed.dl_tensor.device = {kDLCUDA, 0};
  CHECK(refused(on_device));
  Foreign wide({1}, {1});
  wide.managed.dl_tensor.dtype = {kDLFloat, 128, 1};
  CHECK(refused(wide));
  Foreign vectors({1, 2}, {1});
  vectors.managed.dl_tensor.dtype = {kDLInt, 32, 2};
  CHECK(refused(vectors));
  Foreign negative({1}, {-1});
  CHECK(refused(negative));
  CHECK(absl::IsInvalidArgument(Tensor::FromDLPack(nullptr).status()));
}

TEST_CASE("a tensor without a deleter is nobody's to delete") {
  Foreign foreign({1, 2}, {2});
  foreign.managed.deleter = nullptr;
  CHECK(Int32s(*Tensor::FromDLPack(&foreign.managed)) == std::vector<int32_t>{1, 2});
  CHECK(foreign.deleted == 0);
}

TEST_CASE("an exported tensor shares the memory and keeps it until its deleter is called") {
  Tensor tensor = TensorOf<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  const std::weak_ptr<const void> memory = tensor.owner();
  DLManagedTensor* exported = tensor.ToDLPack();
  CHECK(exported->dl_tensor.data == static_cast<const void*>(tensor.raw()));
  CHECK(exported->dl_tensor.ndim == 2);
  CHECK(exported->dl_tensor.shape[1] == 3);
  CHECK(exported->dl_tensor.strides[0] == 3);
  CHECK(exported->dl_tensor.dtype.code == kDLFloat);
  CHECK(exported->dl_tensor.dtype.bits == 32);
  CHECK(exported->dl_tensor.dtype.lanes == 1);
  CHECK(exported->dl_tensor.device.device_type == kDLCPU);
  CHECK_FALSE(tensor.CanBeAdopted());
  tensor = Tensor();
  CHECK_FALSE(memory.expired());
  CHECK(static_cast<const float*>(exported->dl_tensor.data)[5] == 6);
  exported->deleter(exported);
  CHECK(memory.expired());
}

TEST_CASE("a row view is exported from its first row on") {
  const Tensor rows = TensorOf<int32_t>({1, 2, 3, 4}, {4, 1}).Rows(2, 4);
  DLManagedTensor* exported = rows.ToDLPack();
  const DLTensor& tensor = exported->dl_tensor;
  const auto* first = reinterpret_cast<const int32_t*>(static_cast<const char*>(tensor.data) + tensor.byte_offset);
  CHECK(*first == 3);
  CHECK(tensor.shape[0] == 2);
  exported->deleter(exported);
}

TEST_CASE("every element type goes out and comes in again") {
  for (int i = 0; i < kDTypeCount; ++i) {
    const Tensor tensor = codec::OneTwo(static_cast<DType>(i));
    INFO(DTypeName(tensor.dtype()));
    const absl::StatusOr<Tensor> back = Tensor::FromDLPack(tensor.ToDLPack());
    REQUIRE(back.ok());
    CHECK((*back == tensor));
    CHECK(back->raw() == tensor.raw());
  }
}

TEST_CASE("element types go out with the codes and bits that DLPack has for them") {
  struct Known {
    DType dtype;
    int code;
    int bits;
  };
  constexpr Known kKnown[] = {{DType::kBool, 6, 8},          {DType::kInt8, 0, 8},
                              {DType::kInt16, 0, 16},        {DType::kUint16, 1, 16},
                              {DType::kUint32, 1, 32},       {DType::kUint64, 1, 64},
                              {DType::kFloat16, 2, 16},      {DType::kBFloat16, 4, 16},
                              {DType::kComplex64, 5, 64},    {DType::kComplex128, 5, 128},
                              {DType::kFloat8E4M3Fn, 10, 8}, {DType::kFloat8E4M3Fnuz, 11, 8},
                              {DType::kFloat8E5M2, 12, 8},   {DType::kFloat8E5M2Fnuz, 13, 8},
                              {DType::kFloat8E8M0Fnu, 14, 8}};
  for (const Known& known : kKnown) {
    INFO(DTypeName(known.dtype));
    DLManagedTensor* exported = codec::OneTwo(known.dtype).ToDLPack();
    CHECK(+exported->dl_tensor.dtype.code == known.code);
    CHECK(+exported->dl_tensor.dtype.bits == known.bits);
    exported->deleter(exported);
  }
}

}  // namespace
}  // namespace twinkle

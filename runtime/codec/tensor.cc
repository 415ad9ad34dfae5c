#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <dlpack/dlpack.h>
#include <twinkle/tensor.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "runtime/base/bytes_text.h"
#include "runtime/base/memory.h"
#include "runtime/codec/dtype.h"
#include "runtime/codec/packed_strides.h"

namespace twinkle {
namespace internal {

// Memory that tensors share. `data` is null only if there are no bytes.
struct TensorStorage {
  std::shared_ptr<const void> owner;
  const std::byte* data = nullptr;
  std::atomic<bool> frozen = false;
  bool foreign = false;  // code outside the library may hold `owner`, too
};

}  // namespace internal

namespace {

// The bytes of a tensor. InvalidArgument: a dimension is negative, or the tensor is too large.
absl::StatusOr<int64_t> CheckedBytes(DType dtype, const std::vector<int64_t>& shape) {
  int64_t bytes = SizeOf(dtype);
  bool empty = false;
  for (int64_t size : shape) {
    if (size < 0) return absl::InvalidArgumentError(absl::StrCat("a tensor's dimension is negative: ", size));
    if (size == 0) empty = true;
    if (__builtin_mul_overflow(bytes, std::max<int64_t>(size, 1), &bytes) || bytes > codec::kMostTensorBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("a tensor of shape {", absl::StrJoin(shape, ", "), "} is too large"));
    }
  }
  return empty ? 0 : bytes;
}

absl::StatusOr<std::shared_ptr<std::byte>> NewMemory(int64_t bytes, bool zeroed) {
  std::shared_ptr<std::byte> memory = base::NewMemory(static_cast<size_t>(bytes), zeroed);
  if (memory == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there is no memory for a tensor of ", base::BytesText(static_cast<uint64_t>(bytes))));
  }
  return memory;
}

// Packs dimension `dim` of a strided block, and those inside it, to `to`. Returns the end of what was written.
std::byte* Pack(std::byte* to, const std::byte* from, const std::vector<int64_t>& shape,
                const std::vector<int64_t>& strides, size_t dim, int64_t item) {
  if (dim == shape.size()) {
    std::memcpy(to, from, static_cast<size_t>(item));
    return to + item;
  }
  for (int64_t i = 0; i < shape[dim]; ++i) to = Pack(to, from + i * strides[dim] * item, shape, strides, dim + 1, item);
  return to;
}

// Compares elements as numbers: nan differs from nan, 0 equals -0.
template <class T>
bool SameElements(const std::byte* a, const std::byte* b, int64_t count) {
  const T* left = reinterpret_cast<const T*>(a);
  const T* right = reinterpret_cast<const T*>(b);
  if constexpr (std::is_integral_v<T>) {
    return std::memcmp(left, right, static_cast<size_t>(count) * sizeof(T)) == 0;
  } else if constexpr (codec::kIsNarrowFloat<T>) {
    return std::equal(left, left + count, right,
                      [](T x, T y) { return static_cast<float>(x) == static_cast<float>(y); });
  } else {
    return std::equal(left, left + count, right);
  }
}

DLDataType ToDLType(DType dtype) {
  return {static_cast<uint8_t>(internal::FactsOf(dtype).dlpack), static_cast<uint8_t>(SizeOf(dtype) * 8), 1};
}

absl::StatusOr<DType> FromDLType(const DLDataType& type) {
  for (int i = 0; i < kDTypeCount && type.lanes == 1; ++i) {
    const auto dtype = static_cast<DType>(i);
    const DLDataType known = ToDLType(dtype);
    if (known.code == type.code && known.bits == type.bits) return dtype;
  }
  return absl::InvalidArgumentError(absl::StrCat("Tensor::FromDLPack: no dtype for code ", type.code, ", ", type.bits,
                                                 " bits, ", type.lanes, " lanes"));
}

absl::StatusOr<Tensor> Made(DType dtype, std::vector<int64_t> shape, bool zeroed) {
  absl::StatusOr<int64_t> bytes = CheckedBytes(dtype, shape);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<std::shared_ptr<std::byte>> memory = NewMemory(*bytes, zeroed);
  if (!memory.ok()) return memory.status();
  const std::byte* data = memory->get();
  return Tensor::FromBuffer(dtype, std::move(shape), *std::move(memory), data, false);
}

struct DLDelete {
  void operator()(DLManagedTensor* managed) const {
    if (managed->deleter != nullptr) managed->deleter(managed);
  }
};

// What a DLManagedTensor of this library refers to.
struct Lent {
  Tensor tensor;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
  DLManagedTensor managed{};
};

}  // namespace

const char* DTypeName(DType dtype) { return internal::FactsOf(dtype).name; }

Tensor::Tensor() : shape_{0}, strides_{1} {}

Answer<Tensor> Tensor::Zeros(DType dtype, std::vector<int64_t> shape) { return Made(dtype, std::move(shape), true); }

Answer<Tensor> Tensor::Empty(DType dtype, std::vector<int64_t> shape) { return Made(dtype, std::move(shape), false); }

Answer<Tensor> Tensor::FromBuffer(DType dtype, std::vector<int64_t> shape, std::shared_ptr<const void> owner,
                                  const std::byte* data, bool frozen) {
  absl::StatusOr<int64_t> bytes = CheckedBytes(dtype, shape);
  if (!bytes.ok()) return bytes.status();
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.strides_ = codec::PackedStrides(shape);
  tensor.shape_ = std::move(shape);
  tensor.storage_ = std::make_shared<internal::TensorStorage>();
  tensor.storage_->foreign = owner.use_count() > 1;
  tensor.storage_->owner = std::move(owner);
  tensor.storage_->data = data;
  tensor.storage_->frozen = frozen;
  return tensor;
}

int64_t Tensor::size() const {
  int64_t count = 1;
  for (int64_t size : shape_) count *= size;
  return count;
}

bool Tensor::contiguous() const {
  if (size() == 0) return true;
  int64_t packed = 1;
  for (size_t i = shape_.size(); i > 0; --i) {
    if (shape_[i - 1] == 1) continue;  // a dimension of 1 needs no stride
    if (strides_[i - 1] != packed) return false;
    packed *= shape_[i - 1];
  }
  return true;
}

absl::Status Tensor::CheckRead(DType asked) const {
  if (asked != dtype_) {
    return absl::InvalidArgumentError(
        absl::StrCat("Tensor::data: asked for ", DTypeName(asked), " elements of a ", DTypeName(dtype_), " tensor"));
  }
  if (!contiguous()) {
    return absl::InvalidArgumentError("Tensor::data: the tensor is not contiguous; use Contiguous() first");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::byte*> Tensor::Writable() {
  if (storage_ == nullptr) return nullptr;
  if (!CanBeAdopted() || storage_->frozen) {
    absl::StatusOr<std::shared_ptr<std::byte>> memory = NewMemory(bytes(), false);
    if (!memory.ok()) return memory.status();
    if (bytes() > 0) std::memcpy(memory->get(), raw(), static_cast<size_t>(bytes()));
    const std::byte* data = memory->get();
    storage_ = std::make_shared<internal::TensorStorage>();
    storage_->owner = *std::move(memory);
    storage_->data = data;
    offset_ = 0;
  } else {
    // Others may have read the memory before they let go of it, and a count is looked at without order. To take part in
    // it for a moment puts what they did before what follows.
    std::shared_ptr<const void>(storage_).reset();
    std::shared_ptr<const void>(storage_->owner).reset();
  }
  return const_cast<std::byte*>(raw());
}

Tensor Tensor::Rows(int64_t begin, int64_t end) const {
  if (shape_.empty()) return *this;
  Tensor view = *this;
  end = std::clamp<int64_t>(end, 0, shape_[0]);
  begin = std::clamp<int64_t>(begin, 0, end);
  view.shape_[0] = end - begin;
  view.offset_ += begin * strides_[0] * SizeOf(dtype_);
  if (end - begin <= 1 && view.contiguous()) view.strides_ = codec::PackedStrides(view.shape_);
  return view;
}

Tensor Tensor::Contiguous() const {
  if (contiguous()) return *this;
  const absl::StatusOr<Tensor> packed = Empty(dtype_, shape_);
  if (!packed.ok()) throw std::bad_alloc();  // as a vector's copy does
  Pack(const_cast<std::byte*>(packed->raw()), raw(), shape_, strides_, 0, SizeOf(dtype_));
  return *packed;
}

void Tensor::Freeze() {
  if (storage_ != nullptr) storage_->frozen = true;
}
bool Tensor::frozen() const { return storage_ == nullptr || storage_->frozen; }
bool Tensor::CanBeAdopted() const {
  return frozen() || (storage_.use_count() == 1 && !storage_->foreign && storage_->owner.use_count() <= 1);
}

const std::byte* Tensor::raw() const { return storage_ == nullptr ? nullptr : storage_->data + offset_; }
std::shared_ptr<const void> Tensor::owner() const { return storage_; }

bool Tensor::operator==(const Tensor& other) const {
  if (dtype_ != other.dtype_ || shape_ != other.shape_) return false;
  const Tensor a = Contiguous();
  const Tensor b = other.Contiguous();
  if (a.size() == 0) return true;
  return codec::WithElementType(
      dtype_, [&]<class T>(std::type_identity<T>) { return SameElements<T>(a.raw(), b.raw(), a.size()); });
}

DLManagedTensor* Tensor::ToDLPack() const {
  auto lent = std::make_unique<Lent>();
  lent->tensor = *this;
  lent->shape = shape_;
  lent->strides = strides_;
  DLTensor& t = lent->managed.dl_tensor;
  t.data = const_cast<std::byte*>(raw());
  t.device = {kDLCPU, 0};
  t.ndim = static_cast<int32_t>(shape_.size());
  t.dtype = ToDLType(dtype_);
  t.shape = lent->shape.data();
  t.strides = lent->strides.data();
  t.byte_offset = 0;
  lent->managed.manager_ctx = lent.get();
  lent->managed.deleter = [](DLManagedTensor* managed) { delete static_cast<Lent*>(managed->manager_ctx); };
  return &lent.release()->managed;
}

Answer<Tensor> Tensor::FromDLPack(DLManagedTensor* managed) {
  if (managed == nullptr) return absl::InvalidArgumentError("Tensor::FromDLPack: null");
  std::shared_ptr<DLManagedTensor> owner(managed, DLDelete());
  const DLTensor& t = managed->dl_tensor;
  if (t.device.device_type != kDLCPU && t.device.device_type != kDLCUDAHost) {
    return absl::InvalidArgumentError("Tensor::FromDLPack: the memory is not the CPU's; copy it to the host first");
  }
  absl::StatusOr<DType> dtype = FromDLType(t.dtype);
  if (!dtype.ok()) return dtype.status();
  const std::byte* data = static_cast<const std::byte*>(t.data) + t.byte_offset;
  std::vector<int64_t> shape(t.shape, t.shape + t.ndim);
  absl::StatusOr<Tensor> tensor = FromBuffer(*dtype, shape, std::move(owner), data, false);
  if (!tensor.ok()) return tensor;
  tensor->storage_->foreign = true;
  if (t.strides == nullptr) return tensor;
  const std::vector<int64_t> packed = std::exchange(tensor->strides_, {t.strides, t.strides + t.ndim});
  if (tensor->contiguous()) tensor->strides_ = packed;  // strides of such dimensions mean nothing
  return tensor;
}

}  // namespace twinkle

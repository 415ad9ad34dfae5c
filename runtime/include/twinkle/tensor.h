// Tensor: a typed n-dimensional array, whose memory its copies and row views share.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/answer.h>
#include <twinkle/dtype.h>
#include <twinkle/internal/export.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

struct DLManagedTensor;  // <dlpack/dlpack.h>

namespace twinkle {

namespace internal {
struct TensorStorage;
}  // namespace internal

// The elements of a tensor, with a share in their memory: they stay valid when the tensor is gone.
template <class T>
class KeptSpan : public std::span<const T> {
 public:
  KeptSpan(std::span<const T> elements, std::shared_ptr<const void> owner)
      : std::span<const T>(elements), owner_(std::move(owner)) {}

 private:
  std::shared_ptr<const void> owner_;
};

// A typed n-dimensional array. Copies are cheap, and share memory. Memory that others share, or that was frozen, is
// never written: the writer gets a private copy. Reading is thread-safe; mutable_data() must not run beside other uses
// of the same Tensor object.
class TWINKLE_EXPORT Tensor {
 public:
  // A tensor without elements: float32 of shape {0}.
  Tensor();

  // A tensor of these elements in row-major order. The default shape has one dimension; the shape {} is a scalar's.
  // InvalidArgument: the shape does not hold exactly values.size() elements, or has a negative size.
  template <class T>
  static Answer<Tensor> FromVector(std::vector<T> values);
  template <class T>
  static Answer<Tensor> FromVector(std::vector<T> values, std::vector<int64_t> shape);

  // A tensor of zeros. InvalidArgument: a negative size, or more than 2^56 bytes; ResourceExhausted: there is no such
  // memory.
  static Answer<Tensor> Zeros(DType dtype, std::vector<int64_t> shape);

  // A tensor whose elements may be anything, to be written as a whole. In a process of a job a large one is made where
  // the other processes of the machine can read it, so that passing it on copies nothing. Errors as Zeros.
  static Answer<Tensor> Empty(DType dtype, std::vector<int64_t> shape);

  // A row-major tensor on `data`, which `owner` keeps alive. Nobody may change the data afterwards, unless `frozen` is
  // false; then a copy is made when the tensor is sent.
  static Answer<Tensor> FromBuffer(DType dtype, std::vector<int64_t> shape, std::shared_ptr<const void> owner,
                                   const std::byte* data, bool frozen);

  DType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const& { return shape_; }
  std::vector<int64_t> shape() && { return std::move(shape_); }
  const std::vector<int64_t>& strides() const& { return strides_; }  // in elements
  std::vector<int64_t> strides() && { return std::move(strides_); }
  // The first dimension; -1 for a scalar.
  int64_t rows() const { return shape_.empty() ? -1 : shape_[0]; }
  int64_t size() const;                                      // elements
  int64_t bytes() const { return size() * SizeOf(dtype_); }  // of the elements, packed
  // Whether the elements are row-major without gaps; strides() then says so, too. A dimension of size 1 makes no gap.
  bool contiguous() const;

  // The elements. InvalidArgument: they are of another dtype, or not contiguous. The span is valid as long as the
  // tensor's memory; the span of a temporary keeps the memory.
  template <class T>
  Answer<std::span<const T>> data() const&;
  template <class T>
  Answer<KeptSpan<T>> data() &&;
  // The elements, for writing. Copies them first if anybody shares the memory, or it was frozen. Errors as data();
  // ResourceExhausted: there is no memory for the copy.
  template <class T>
  Answer<std::span<T>> mutable_data();

  // Rows [begin, end), which share the memory. The range is clamped to the rows that exist. A scalar is returned whole.
  Tensor Rows(int64_t begin, int64_t end) const;
  // This tensor if it is contiguous; otherwise a packed copy.
  Tensor Contiguous() const;

  // Promises that nobody writes to the memory any more, whoever shares it. It is then sent without a copy.
  void Freeze();
  bool frozen() const;
  // Whether it can be sent without a copy: it is frozen, or nobody else shares the memory.
  bool CanBeAdopted() const;

  // A new DLManagedTensor that shares the memory, which must not be written through it. The receiver calls its deleter.
  DLManagedTensor* ToDLPack() const;
  // Takes ownership of a DLManagedTensor. Its deleter is called when the memory is no longer used; at once on an error.
  // This tensor keeps the strides, but a tensor that is sent to an object, or given to Put, arrives contiguous.
  // InvalidArgument: the memory is not the CPU's, or there is no DType for the elements.
  static Answer<Tensor> FromDLPack(DLManagedTensor* managed);

  // The address of the first element; null: there is no memory. For codecs.
  const std::byte* raw() const;
  // A share in the memory, which keeps it alive. For codecs.
  std::shared_ptr<const void> owner() const;

  // Whether dtype, shape and elements are equal (nan differs from nan).
  bool operator==(const Tensor& other) const;

 private:
  absl::StatusOr<std::byte*> Writable();
  absl::Status CheckRead(DType asked) const;

  DType dtype_ = DType::kFloat32;
  std::vector<int64_t> shape_;
  std::vector<int64_t> strides_;
  std::shared_ptr<internal::TensorStorage> storage_;  // shared by copies and row views
  int64_t offset_ = 0;                                // bytes
};

template <class T>
Answer<Tensor> Tensor::FromVector(std::vector<T> values) {
  std::vector<int64_t> shape = {static_cast<int64_t>(values.size())};
  return FromVector<T>(std::move(values), std::move(shape));
}

template <class T>
Answer<Tensor> Tensor::FromVector(std::vector<T> values, std::vector<int64_t> shape) {  // NOLINT: it is moved
  constexpr DType kType = internal::DTypeFor<T>::kValue;
  const size_t count = values.size();
  Answer<Tensor> made = absl::InternalError("not made");
  if constexpr (std::is_same_v<T, bool>) {
    auto kept = std::make_shared<std::vector<uint8_t>>(values.begin(), values.end());
    const auto* data = reinterpret_cast<const std::byte*>(kept->data());
    made = FromBuffer(kType, std::move(shape), std::move(kept), data, false);
  } else {
    auto kept = std::make_shared<std::vector<T>>(std::move(values));
    const auto* data = reinterpret_cast<const std::byte*>(kept->data());
    made = FromBuffer(kType, std::move(shape), std::move(kept), data, false);
  }
  if (made.ok() && made->size() != static_cast<int64_t>(count)) {
    return absl::InvalidArgumentError("Tensor::FromVector: the shape does not hold as many elements as were given");
  }
  return made;
}

template <class T>
Answer<std::span<const T>> Tensor::data() const& {
  if (absl::Status status = CheckRead(internal::DTypeFor<T>::kValue); !status.ok()) return status;
  return std::span<const T>(reinterpret_cast<const T*>(raw()), static_cast<size_t>(size()));
}

template <class T>
Answer<KeptSpan<T>> Tensor::data() && {
  Answer<std::span<const T>> elements = static_cast<const Tensor&>(*this).data<T>();
  if (!elements.ok()) return std::move(elements).status();
  return KeptSpan<T>(*elements, owner());
}

template <class T>
Answer<std::span<T>> Tensor::mutable_data() {
  if (absl::Status status = CheckRead(internal::DTypeFor<T>::kValue); !status.ok()) return status;
  const absl::StatusOr<std::byte*> first = Writable();
  if (!first.ok()) return first.status();
  return std::span<T>(reinterpret_cast<T*>(*first), static_cast<size_t>(size()));
}

}  // namespace twinkle

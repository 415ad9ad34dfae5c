// Tensor: a typed n-dimensional array whose memory is shared by its copies and row views.
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

// Elements of a tensor that may be gone already.
template <class T>
class KeptSpan : public std::span<const T> {
 public:
  KeptSpan(std::span<const T> elements, std::shared_ptr<const void> owner)
      : std::span<const T>(elements), owner_(std::move(owner)) {}

 private:
  std::shared_ptr<const void> owner_;
};

// Copies are cheap and share memory. Reading is thread-safe; mutable_data() must not run beside other uses of the same
// Tensor object. Memory that others share, or that was frozen, is never written: the writer gets a private copy.
class TWINKLE_EXPORT Tensor {
 public:
  // No elements: float32 of shape {0}.
  Tensor();

  // Elements in row-major order. InvalidArgument when the shape (default: one dimension) does not hold exactly
  // values.size() elements or has a negative size. The shape {} is a scalar's.
  template <class T>
  static Answer<Tensor> FromVector(std::vector<T> values);
  template <class T>
  static Answer<Tensor> FromVector(std::vector<T> values, std::vector<int64_t> shape);

  // Zeroed. InvalidArgument for a negative size or more than 2^56 bytes; ResourceExhausted: there is no such memory.
  static Answer<Tensor> Zeros(DType dtype, std::vector<int64_t> shape);

  // The elements may be anything: for tensors that are written whole. In a process of a job a large one is made where
  // the other processes of the machine can read it: handing it over copies nothing.
  static Answer<Tensor> Empty(DType dtype, std::vector<int64_t> shape);

  // Refers to `data`, which `owner` keeps alive and nobody may change afterwards unless `frozen` is false (then a copy
  // is made when the tensor is sent). Row-major.
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

  // The elements. InvalidArgument when of another dtype or not contiguous. The span lives as long as the tensor's
  // memory; that of a temporary keeps it.
  template <class T>
  Answer<std::span<const T>> data() const&;
  template <class T>
  Answer<KeptSpan<T>> data() &&;
  // The same for writing. Copies first when anybody shares the memory or it was frozen; ResourceExhausted: there is no
  // memory for that.
  template <class T>
  Answer<std::span<T>> mutable_data();

  // Rows [begin, end), sharing the memory. The range is clamped to the rows there are; a scalar comes back whole.
  Tensor Rows(int64_t begin, int64_t end) const;
  // This tensor when contiguous, else a packed copy.
  Tensor Contiguous() const;

  // Promises that nobody writes to the memory any more, whoever else holds it: it is then sent without a copy.
  void Freeze();
  bool frozen() const;
  // Whether sending it needs no copy: frozen, or nobody else holds the memory.
  bool CanBeAdopted() const;

  // A new DLManagedTensor that shares the memory, which must not be written through it; the receiver calls its deleter.
  DLManagedTensor* ToDLPack() const;
  // Takes the tensor over (its deleter is called when the memory is no longer used, or at once on error). Its strides
  // are kept as they are here, but what goes to another object, and what Put takes, arrives contiguous. InvalidArgument
  // for memory that is not the CPU's and for element types without a DType.
  static Answer<Tensor> FromDLPack(DLManagedTensor* managed);

  // The first element's address, null when there is no memory. For codecs.
  const std::byte* raw() const;
  // Keeps the memory alive. For codecs.
  std::shared_ptr<const void> owner() const;

  // Same dtype, shape and elements (nan differs from nan).
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

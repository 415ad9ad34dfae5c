// Array<T>: an immutable list, which its copies and row views share. It is dispatched and collected like std::vector.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace twinkle {

// An immutable list. Reading it is thread-safe.
template <class T>
class Array {
 public:
  using value_type = T;
  using const_iterator = const T*;

  Array() = default;
  explicit Array(std::vector<T> items) {
    auto kept = std::make_shared<std::vector<T>>(std::move(items));
    data_ = kept->data();
    size_ = kept->size();
    owner_ = std::move(kept);
  }
  // Refers to items that `owner` keeps alive and that nobody changes.
  Array(std::shared_ptr<const void> owner, const T* data, size_t size)
      : owner_(std::move(owner)), data_(data), size_(size) {}

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* data() const { return data_; }
  const T& operator[](size_t index) const { return data_[index]; }
  const_iterator begin() const { return data_; }
  const_iterator end() const { return data_ + size_; }
  // Items [begin, end), which share the memory. The range is clamped to the items that exist.
  Array Rows(size_t begin, size_t end) const {
    end = std::min(end, size_);
    begin = std::min(begin, end);
    return Array(owner_, data_ + begin, end - begin);
  }
  const std::shared_ptr<const void>& owner() const { return owner_; }
  bool operator==(const Array& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }

 private:
  std::shared_ptr<const void> owner_;
  const T* data_ = nullptr;
  size_t size_ = 0;
};

template <>
class Array<bool>;  // std::vector<bool> holds no bools that could be pointed to: use Array<uint8_t>

}  // namespace twinkle

// Value: a dynamic tree, for data whose structure is known only when the program runs.
#pragma once

#include <twinkle/tensor.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace twinkle {

// A null, bool, integer, float, string, list, tuple, dict or tensor. Dispatch splits lists, tensors, and the members of
// dicts; tuples go whole. For one thread at a time; reading is thread-safe.
class Value {
 public:
  using List = std::vector<Value>;
  struct Tuple {
    List items;
    bool operator==(const Tuple&) const = default;
  };
  using Dict = std::map<std::string, Value>;
  using Tree = std::variant<std::monostate, bool, int64_t, double, std::string, List, Tuple, Dict, Tensor>;

  Value() = default;
  Value(std::nullptr_t) {}  // NOLINT: like JSON
  template <std::same_as<bool> T>
  Value(T value) : tree_(value) {}  // NOLINT
  template <std::integral T>
  requires(!std::same_as<T, bool>) Value(T value) : tree_(static_cast<int64_t>(value)) {}  // NOLINT
  template <std::floating_point T>
  Value(T value) : tree_(static_cast<double>(value)) {}    // NOLINT
  Value(const char* value) : tree_(std::string(value)) {}  // NOLINT
  Value(std::string value) : tree_(std::move(value)) {}    // NOLINT
  Value(List value) : tree_(std::move(value)) {}           // NOLINT
  Value(Tuple value) : tree_(std::move(value)) {}          // NOLINT
  Value(Dict value) : tree_(std::move(value)) {}           // NOLINT
  Value(Tensor value) : tree_(std::move(value)) {}         // NOLINT

  // The alternative T, or null when it is another.
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&tree_);
  }
  template <class T>
  T* get_if() {
    return std::get_if<T>(&tree_);
  }
  bool is_null() const { return tree_.index() == 0; }
  const Tree& tree() const { return tree_; }
  Tree& tree() { return tree_; }

  bool operator==(const Value& other) const { return tree_ == other.tree_; }

 private:
  Tree tree_;
};

}  // namespace twinkle

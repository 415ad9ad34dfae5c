// What is known of things that never come back: of the latest of them.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

namespace twinkle::base {

// A map of at most `most` entries, of which the oldest make room. For one thread.
template <class Key, class Value>
class Recent {
 public:
  explicit Recent(size_t most) : most_(most) {}

  // Nothing when it is known already. Otherwise it is added, and what had to make room for it comes back, if any.
  std::optional<Key> Add(const Key& key, Value value) {
    if (!values_.emplace(key, std::move(value)).second) return std::nullopt;
    order_.push_back(key);
    if (order_.size() <= most_) return std::nullopt;
    const Key oldest = std::move(order_.front());
    order_.pop_front();
    values_.erase(oldest);
    return oldest;
  }
  // Null: it is not known. Until the next Add.
  const Value* Find(const Key& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : &found->second;
  }
  bool Has(const Key& key) const { return values_.contains(key); }
  size_t size() const { return values_.size(); }

 private:
  const size_t most_;
  absl::flat_hash_map<Key, Value> values_;
  std::deque<Key> order_;  // oldest first
};

}  // namespace twinkle::base

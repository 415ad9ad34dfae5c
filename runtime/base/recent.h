// Recent: a map of limited size that forgets its oldest entries.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

namespace twinkle::base {

// A map of at most `most` entries, of which the oldest make room for new ones. For one thread at a time.
template <class Key, class Value>
class Recent {
 public:
  explicit Recent(size_t most) : most_(most) {}

  // Adds an entry, unless its key is known. Returns the key of the entry that made room, if one had to.
  std::optional<Key> Add(const Key& key, Value value) {
    if (!values_.emplace(key, std::move(value)).second) return std::nullopt;
    order_.push_back(key);
    if (order_.size() <= most_) return std::nullopt;
    const Key oldest = std::move(order_.front());
    order_.pop_front();
    values_.erase(oldest);
    return oldest;
  }
  // The value of a key, valid until the next Add; null: the key is not known.
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

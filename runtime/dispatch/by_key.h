// The values that several results with string keys have under each key.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace twinkle::dispatch {

// The values under each key that any result has. Null where a result lacks the key.
template <class V>
class ByKey {
 public:
  explicit ByKey(size_t results) : results_(results) {}

  void Add(size_t result, const std::string& key, V* value) {
    values_.try_emplace(key, results_).first->second[result] = value;
  }

  size_t size() const { return values_.size(); }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }

 private:
  size_t results_;
  std::map<std::string, std::vector<V*>> values_;
};

}  // namespace twinkle::dispatch

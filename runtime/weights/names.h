// Many names in few bytes: "layers.12.mlp.experts.7.up" is a text with gaps, of which a model has a dozen, and numbers,
// which differ little from those of the name before it.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace twinkle::weights {

inline constexpr size_t kMostNameBytes = 1024;

// InvalidArgument: it is empty, longer than kMostNameBytes, or has control characters.
absl::Status CheckName(std::string_view name);

// The texts of names, each once.
class NameTexts {
 public:
  // The number of the name's text, and the numbers in its gaps. REQUIRES: CheckName says OK.
  uint32_t Split(std::string_view name, std::vector<int64_t>* numbers);
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
  absl::flat_hash_map<std::string, uint32_t> known_;
  std::string text_;  // of the last name
};

// How many numbers a text takes.
size_t GapsOf(std::string_view text);
// Appends the name of that text with these numbers, one for each gap. False: no name is split so.
bool AppendName(std::string_view text, std::span<const int64_t> numbers, std::string* names);

}  // namespace twinkle::weights

// Many names in few bytes: "layers.12.mlp.experts.7.up" is a text with gaps, of which a model has a dozen, and numbers,
// which differ little from those of the name before it.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/weights/varints.h"

namespace twinkle::weights {

inline constexpr size_t kMostNameBytes = 1024;

// InvalidArgument: it is empty, longer than kMostNameBytes, or has control characters.
absl::Status CheckName(std::string_view name);

// Writes names, one after another, among other numbers.
class NameWriter {
 public:
  // The number of the name's text among texts(). REQUIRES: CheckName says OK.
  uint32_t TextOf(std::string_view name);
  // The numbers of the name that TextOf was last asked for.
  void WriteNumbers(std::string* out);
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
  std::vector<std::vector<int64_t>> last_;  // by text: the numbers of the name before
  absl::flat_hash_map<std::string, uint32_t> known_;
  uint32_t text_ = 0;
  std::vector<int64_t> numbers_;
};

// Reads them. The texts outlive it.
class NameReader {
 public:
  explicit NameReader(const std::vector<std::string>& texts);
  // Appends the next name, which has that text, to `names`. False: the input is not what a NameWriter wrote.
  bool Read(uint64_t text, VarintReader& in, std::string* names);

 private:
  const std::vector<std::string>& texts_;
  std::vector<std::vector<int64_t>> last_;
};

}  // namespace twinkle::weights

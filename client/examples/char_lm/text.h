#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace char_lm {

// The distinct bytes of a text, in order; a character's id is its place among them.
class Vocabulary {
 public:
  explicit Vocabulary(std::string_view text);

  int64_t size() const { return static_cast<int64_t>(characters_.size()); }

  // Every byte of `text` must be one of the vocabulary's.
  std::vector<uint8_t> Encode(std::string_view text) const;
  std::string Decode(std::span<const uint8_t> ids) const;

 private:
  std::string characters_;
};

// A text as ids: its last tenth is held out and never trained on.
struct Corpus {
  Vocabulary vocabulary;
  std::vector<uint8_t> training;
  std::vector<uint8_t> held_out;
};

// Reads `file`; if that is empty, the licence texts that every Debian has in
// /usr/share/common-licenses, one after the other. NotFound or InvalidArgument, with the path, if
// there is nothing to read or too little to split and learn from.
absl::StatusOr<Corpus> LoadCorpus(const std::string& file);

// What the model has to beat: the perplexity of the held-out characters, but for the first `skip`,
// when each is guessed from the one before by the counts in the training text (add-one smoothing).
double BigramPerplexity(const Corpus& corpus, int64_t skip);

}  // namespace char_lm

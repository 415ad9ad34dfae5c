#include "client/examples/char_lm/text.h"

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace char_lm {
namespace {

namespace fs = std::filesystem;

constexpr char kLicences[] = "/usr/share/common-licenses";
constexpr size_t kShortestText = 1000;

absl::StatusOr<std::string> ReadFile(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    return absl::InvalidArgumentError(absl::StrCat("'", path.string(), "' is a directory: name a text file"));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return absl::NotFoundError(absl::StrCat("cannot read '", path.string(), "': ", std::strerror(errno)));
  }
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// Symbolic links are left out (GPL is GPL-3 again): a text that is there twice could be trained on
// and held out at once. Sorted, because a directory has no order of its own.
absl::StatusOr<std::vector<fs::path>> LicenceFiles() {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(kLicences, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    const bool regular = entry->is_regular_file(ignored) && !entry->is_symlink(ignored);
    if (regular) files.push_back(entry->path());
  }
  if (error || files.empty()) {
    return absl::NotFoundError(absl::StrCat("no licence texts in ", kLicences, ": name a text with --file"));
  }
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<std::string> ReadLicences() {
  const absl::StatusOr<std::vector<fs::path>> files = LicenceFiles();
  if (!files.ok()) return files.status();
  std::string text;
  for (const fs::path& file : *files) {
    const absl::StatusOr<std::string> licence = ReadFile(file);
    if (!licence.ok()) return licence.status();
    absl::StrAppend(&text, *licence, "\n");
  }
  return text;
}

}  // namespace

Vocabulary::Vocabulary(std::string_view text) : characters_(text) {
  std::sort(characters_.begin(), characters_.end());
  characters_.erase(std::unique(characters_.begin(), characters_.end()), characters_.end());
}

std::vector<uint8_t> Vocabulary::Encode(std::string_view text) const {
  std::vector<uint8_t> ids;
  ids.reserve(text.size());
  for (const char c : text) {
    const auto place = std::lower_bound(characters_.begin(), characters_.end(), c);
    ids.push_back(static_cast<uint8_t>(place - characters_.begin()));
  }
  return ids;
}

std::string Vocabulary::Decode(std::span<const uint8_t> ids) const {
  std::string text;
  text.reserve(ids.size());
  for (const uint8_t id : ids) text.push_back(characters_[id]);
  return text;
}

absl::StatusOr<Corpus> LoadCorpus(const std::string& file) {
  const absl::StatusOr<std::string> text = file.empty() ? ReadLicences() : ReadFile(file);
  if (!text.ok()) return text.status();
  if (text->size() < kShortestText) {
    return absl::InvalidArgumentError(absl::StrCat("'", file.empty() ? kLicences : file, "' has only ", text->size(),
                                                   " characters: ", kShortestText, " are needed"));
  }
  Vocabulary vocabulary(*text);
  std::vector<uint8_t> training = vocabulary.Encode(*text);
  const auto split = training.end() - static_cast<std::ptrdiff_t>(training.size() / 10);
  std::vector<uint8_t> held_out(split, training.end());
  training.erase(split, training.end());
  return Corpus{std::move(vocabulary), std::move(training), std::move(held_out)};
}

double BigramPerplexity(const Corpus& corpus, int64_t skip) {
  const auto size = static_cast<size_t>(corpus.vocabulary.size());
  std::vector<double> pairs(size * size, 1.0);
  std::vector<double> totals(size, static_cast<double>(size));
  for (size_t i = 1; i < corpus.training.size(); ++i) {
    pairs[corpus.training[i - 1] * size + corpus.training[i]] += 1;
    totals[corpus.training[i - 1]] += 1;
  }
  double loss = 0;
  const std::vector<uint8_t>& text = corpus.held_out;
  for (size_t i = static_cast<size_t>(skip); i < text.size(); ++i) {
    loss -= std::log(pairs[text[i - 1] * size + text[i]] / totals[text[i - 1]]);
  }
  return std::exp(loss / static_cast<double>(text.size() - static_cast<size_t>(skip)));
}

}  // namespace char_lm

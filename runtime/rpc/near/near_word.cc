#include "runtime/rpc/near/near_word.h"

#include <cstring>
#include <string_view>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/codec/codec.h"

namespace twinkle::rpc {
namespace {

using WordSize = uint32_t;

}  // namespace

void AppendWord(const NearWord& word, std::string* head) {
  const std::string text = codec::Encode(codec::Hold(word), nullptr, SIZE_MAX)->head;
  const WordSize size = static_cast<WordSize>(text.size());
  head->append(text).append(reinterpret_cast<const char*>(&size), sizeof(size));
}

void AppendNoWord(std::string* head) { head->append(sizeof(WordSize), '\0'); }

absl::StatusOr<std::optional<NearWord>> TakeWord(std::string* head) {
  WordSize size = 0;
  if (head->size() < sizeof(size)) return absl::InvalidArgumentError("a frame without a word's size");
  std::memcpy(&size, head->data() + head->size() - sizeof(size), sizeof(size));
  head->resize(head->size() - sizeof(size));
  if (size == 0) return std::nullopt;
  if (size > head->size()) return absl::InvalidArgumentError("a frame's word is cut off");
  const std::string_view text(head->data() + head->size() - size, size);
  NearWord word;
  TWINKLE_RETURN_IF_ERROR(codec::Decode(internal::kType<NearWord>, &word, text, {}, {.open_ended = true}));
  head->resize(head->size() - size);
  return word;
}

Frame BareFrame(NearWord word) {
  word.bare = true;
  Frame frame;
  AppendWord(word, &frame.head);
  return frame;
}

}  // namespace twinkle::rpc

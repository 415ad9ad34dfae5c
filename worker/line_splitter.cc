#include "worker/line_splitter.h"

#include <algorithm>
#include <utility>

namespace twinkle::worker {

void LineSplitter::Add(absl::string_view bytes, std::vector<OutputLine>* lines) {
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    for (absl::string_view text = bytes.substr(0, end); !text.empty();) {
      const absl::string_view piece = text.substr(0, longest_ - partial_.size());
      text.remove_prefix(piece.size());
      partial_.append(piece.data(), piece.size());
      told_ = false;
      const bool more = !text.empty() || end == bytes.size();
      if (partial_.size() < longest_ || !more) continue;
      lines->push_back({std::exchange(partial_, {}), true});
      open_ = true;
    }
    if (end == bytes.size()) return;
    if (bytes[end] == '\r') {
      Flush(lines);
      after_return_ = true;
    } else {
      if (!told_ || !partial_.empty()) End(lines);
      after_return_ = told_ = false;
    }
    bytes.remove_prefix(end + 1);
  }
}

void LineSplitter::End(std::vector<OutputLine>* lines) {
  lines->push_back({std::exchange(partial_, {}), false});
  told_ = true;
  open_ = false;
}

void LineSplitter::Flush(std::vector<OutputLine>* lines) {
  if (!partial_.empty() || open_) End(lines);
}

}  // namespace twinkle::worker

// What a process prints, taken apart into lines.
#pragma once

#include <absl/strings/string_view.h>

#include <cstddef>
#include <string>
#include <vector>

namespace twinkle::worker {

// One line without its end, or a piece of one that is too long.
struct OutputLine {
  std::string text;
  bool continues = false;  // the next one goes on with it
  friend bool operator==(const OutputLine& a, const OutputLine& b) {
    return a.text == b.text && a.continues == b.continues;
  }
};

// Lines end at '\n', "\r\n" or '\r': what a progress bar draws between two '\r' is a line. For one thread.
class LineSplitter {
 public:
  explicit LineSplitter(size_t longest) : longest_(longest) {}

  // Appends the lines that are complete now.
  void Add(absl::string_view bytes, std::vector<OutputLine>* lines);
  // Appends what has not ended, as a line: at the end, or when a progress bar has stood still for a moment.
  void Flush(std::vector<OutputLine>* lines);
  // Whether a piece of a progress bar waits for its end, which often comes with the next piece only.
  bool has_progress() const { return after_return_ && !partial_.empty(); }
  bool empty() const { return partial_.empty(); }

 private:
  void End(std::vector<OutputLine>* lines);

  const size_t longest_;
  std::string partial_;
  bool after_return_ = false;  // `partial_` follows a '\r'
  bool open_ = false;          // the last line that was told continues
  bool told_ = false;          // nothing has come since a line was told: a '\n' now ends that one
};

}  // namespace twinkle::worker

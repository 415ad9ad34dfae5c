// Splits the output of a process into lines.
#pragma once

#include <absl/strings/string_view.h>

#include <cstddef>
#include <string>
#include <vector>

namespace twinkle::worker {

// One line without its line end, or a piece of a line that is too long for one.
struct OutputLine {
  std::string text;
  bool continues = false;  // the next OutputLine continues this line
  friend bool operator==(const OutputLine& a, const OutputLine& b) {
    return a.text == b.text && a.continues == b.continues;
  }
};

// Splits a stream of bytes into lines. A line ends at '\n', "\r\n" or '\r': what a progress bar draws between two '\r'
// is a line. For one thread at a time.
class LineSplitter {
 public:
  // `longest`: bytes of a line; a longer line comes in pieces.
  explicit LineSplitter(size_t longest) : longest_(longest) {}

  // Appends to `lines` the lines that `bytes` completes.
  void Add(absl::string_view bytes, std::vector<OutputLine>* lines);
  // Appends the rest, which has no line end yet, as a line: at the end of the stream, or when a progress bar has not
  // moved for a moment.
  void Flush(std::vector<OutputLine>* lines);
  // Whether an unfinished line of a progress bar is held back. Its end often comes only with the next line.
  bool has_progress() const { return after_return_ && !partial_.empty(); }
  bool empty() const { return partial_.empty(); }

 private:
  void End(std::vector<OutputLine>* lines);

  const size_t longest_;
  std::string partial_;
  bool after_return_ = false;  // `partial_` follows a '\r'
  bool open_ = false;          // the last line that was appended continues
  bool told_ = false;          // nothing has come since a line was appended: a '\n' now ends that line
};

}  // namespace twinkle::worker

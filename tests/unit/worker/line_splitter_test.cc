#include "worker/line_splitter.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::worker {
namespace {

using Lines = std::vector<std::string>;

// "text", or "text+" where it continues.
Lines TextsOf(const std::vector<OutputLine>& lines) {
  Lines texts;
  for (const OutputLine& line : lines) texts.push_back(line.text + (line.continues ? "+" : ""));
  return texts;
}

// The lines of what comes in these pieces, and of the end.
Lines Split(const std::vector<std::string>& pieces, size_t longest = 100) {
  LineSplitter splitter(longest);
  std::vector<OutputLine> lines;
  for (const std::string& piece : pieces) splitter.Add(piece, &lines);
  splitter.Flush(&lines);
  return TextsOf(lines);
}

TEST_CASE("lines end where they end, in whatever pieces they come") {
  CHECK(Split({"one\ntwo\n\nthree"}) == Lines{"one", "two", "", "three"});
  CHECK(Split({"o", "ne", "\n", "two\nth", "ree\n"}) == Lines{"one", "two", "three"});
  CHECK(Split({}).empty());
}

TEST_CASE("a carriage return ends a line, with the newline behind it once") {
  CHECK(Split({"one\r\ntwo\r", "\nthree\n\n"}) == Lines{"one", "two", "three", ""});
  CHECK(Split({"\r 10%\r 20%\r 30%\ndone\n"}) == Lines{" 10%", " 20%", " 30%", "done"});
}

TEST_CASE("a progress bar that stands still is told after a moment, and not once more at its end") {
  LineSplitter splitter(100);
  std::vector<OutputLine> lines;
  splitter.Add("loading", &lines);
  CHECK_FALSE(splitter.has_progress());
  splitter.Add("\n\r 10%", &lines);
  CHECK(splitter.has_progress());
  splitter.Flush(&lines);
  CHECK_FALSE(splitter.has_progress());
  splitter.Add("\r 20%", &lines);
  CHECK(splitter.has_progress());
  splitter.Flush(&lines);
  splitter.Add("\n", &lines);
  splitter.Add("\n", &lines);
  CHECK(TextsOf(lines) == Lines{"loading", " 10%", " 20%", ""});
  CHECK_FALSE(splitter.has_progress());
}

TEST_CASE("a line that is too long comes in pieces that say so, and nothing of it is lost") {
  CHECK(Split({"abcdefgh\nij\n"}, 3) == Lines{"abc+", "def+", "gh", "ij"});
  CHECK(Split({"abcdef\n"}, 3) == Lines{"abc+", "def"});
  CHECK(Split({"abc", "\n"}, 3) == Lines{"abc+", ""});
  CHECK(Split({"abc", "\rd\n"}, 3) == Lines{"abc+", "", "d"});
  CHECK(Split({"abc"}, 3) == Lines{"abc+", ""});
  CHECK(Split({"abc\n"}, 3) == Lines{"abc"});
}

}  // namespace
}  // namespace twinkle::worker

#include "runtime/base/terminal_text.h"

#include <string>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

TEST_CASE("what people read stays as it is") {
  CHECK(TerminalText("step 3:\tloss 0.5 ä") == "step 3:\tloss 0.5 ä");
  CHECK(TerminalText("\x1b[31mred\x1b[0m \x1b[1;32mgreen\x1b[m") == "\x1b[31mred\x1b[0m \x1b[1;32mgreen\x1b[m");
}

TEST_CASE("what a terminal would obey is shown") {
  CHECK(TerminalText("a\nb\rc\a") == "a\\x0ab\\x0dc\\x07");
  CHECK(TerminalText("\x1b[2J") == "\\x1b[2J");
  CHECK(TerminalText("\x1b]0;title\x07") == "\\x1b]0;title\\x07");
  CHECK(TerminalText("\x1b[31") == "\\x1b[31");
  CHECK(TerminalText(std::string("\0", 1)) == "\\x00");
}

}  // namespace
}  // namespace twinkle::base

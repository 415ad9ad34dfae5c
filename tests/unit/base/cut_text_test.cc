#include "runtime/base/cut_text.h"

#include <string>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

TEST_CASE("a text is left alone as long as it fits") {
  CHECK(CutText("", 4).empty());
  CHECK(CutText("abcd", 4) == "abcd");
}

TEST_CASE("a text that does not fit keeps its beginning and says how much is left out") {
  CHECK(CutText("abcdefgh", 4) == "abcd… 4 bytes left out");
  CHECK(CutText(std::string(5 << 20, 'x')).size() < kMostCauseBytes + 64);
}

TEST_CASE("a character of several bytes is not cut in two") {
  CHECK(CutText("abcä and more", 4) == "abc… 11 bytes left out");
  CHECK(CutText("\x80\x80\x80\x80\x80\x80", 5).substr(0, 2) == "\x80\x80");
}

}  // namespace
}  // namespace twinkle::base

#include "runtime/base/names.h"

#include <absl/strings/match.h>

#include <string>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

TEST_CASE("a name is UTF-8, of a line, and not too long") {
  for (const std::string good : {"policy", "a b", "größe", "模型", "\xf0\x9f\x9a\x80", "x"}) {
    INFO(good);
    CHECK(CheckName("the name of a group", good).ok());
  }
  CHECK(CheckName("the name of a group", std::string(kLongestName, 'x')).ok());
  for (const std::string& bad : {std::string(), std::string("a\nb"), std::string("\x1b[31m"), std::string("a\0b", 3),
                                 std::string("\xff"), std::string("caf\xe9"), std::string("\xc2\x9b"),
                                 std::string("\xe2\x80\xae"), std::string(kLongestName + 1, 'x')}) {
    const absl::Status status = CheckName("the name of a group", bad);
    INFO(status.message());
    CHECK(absl::IsInvalidArgument(status));
    CHECK(absl::StrContains(status.message(), "the name of a group"));
    CHECK(status.message() == Printable(status.message()));
  }
}

TEST_CASE("a name that is also a file's stays in its folder") {
  CHECK(CheckFileName("the name of a group", "a.b").ok());
  for (const char* bad : {"a/b", "../../x", ".", "..", "/"}) {
    CHECK(absl::IsInvalidArgument(CheckFileName("the name of a group", bad)));
  }
}

TEST_CASE("UTF-8 is the shortest form, without surrogates") {
  CHECK(IsUtf8("größe 模型 \xf4\x8f\xbf\xbf"));
  for (const char* bad : {"\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
                          "\x80", "\xe6\xa8", "a\xc3"}) {
    CHECK_FALSE(IsUtf8(bad));
  }
}

TEST_CASE("what others have written is shown without doing anything to the terminal") {
  CHECK(Printable("größe") == "größe");
  CHECK(Printable("a\nb\tc\r") == "a\\nb\\tc\\r");
  CHECK(Printable("\x1b[2J\xff") == "\\x1b[2J\\xff");
  CHECK(Printable(std::string("\0", 1)) == "\\x00");
  CHECK(PrintableLines("it died:\n  \x1b[31mred\nend", "    ") == "it died:\n      \\x1b[31mred\n    end");
}

TEST_CASE("of what ranks print tabs and colours stay, and nothing else that a terminal would obey") {
  const auto shown = [](absl::string_view text) { return Printable(text, Layout::kTabsAndColours); };
  CHECK(shown("step 3:\tloss 0.5 ä") == "step 3:\tloss 0.5 ä");
  CHECK(shown("\x1b[31mred\x1b[0m \x1b[1;32mgreen\x1b[m") == "\x1b[31mred\x1b[0m \x1b[1;32mgreen\x1b[m");
  CHECK(shown("a\nb\rc\a") == "a\\nb\\rc\\x07");
  CHECK(shown("\x1b[2J") == "\\x1b[2J");
  CHECK(shown("\x1b]0;title\x07") == "\\x1b]0;title\\x07");
  CHECK(shown("\x1b[31") == "\\x1b[31");
  CHECK(shown("\xff\xc2\x9b") == "\\xff\\xc2\\x9b");
}

}  // namespace
}  // namespace twinkle::base

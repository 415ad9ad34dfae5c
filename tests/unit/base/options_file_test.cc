#include "runtime/base/options_file.h"

#include <sys/stat.h>

#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::base {
namespace {

using Catch::Matchers::ContainsSubstring;

// An application with the option --listen.
struct Fixture {
  Fixture() {
    app.add_option("--listen", listen);
    AddOptionsFile(app);
  }
  std::string ValueOf(const std::string& line) {
    std::istringstream input(line);
    const auto items = OptionsFile(app).from_config(input);
    REQUIRE(items.size() == 1);
    return items.front().inputs.front();
  }
  std::string Refusal(std::istream& input) {
    try {
      OptionsFile(app).from_config(input);
    } catch (const CLI::ConfigError& error) {
      return error.what();
    }
    return "";
  }

  std::string listen;
  CLI::App app;
};

// Gives a beginning, then what a disk that fails gives.
struct FailingBuffer : std::streambuf {
  FailingBuffer() { setg(text, text, text + sizeof(text) - 1); }
  int_type underflow() override { throw std::runtime_error("no disk"); }
  char text[9] = "listen=a";
};

TEST_CASE("a value of a file of options ends where its quotes or a remark say") {
  Fixture fixture;
  CHECK(fixture.ValueOf("listen=a") == "a");
  CHECK(fixture.ValueOf(" listen =  a b # c") == "a b");
  CHECK(fixture.ValueOf("listen=a\t# c") == "a");
  CHECK(fixture.ValueOf("listen=a#b #c") == "a#b");
  CHECK(fixture.ValueOf("listen=\"a # b\" # c") == "a # b");
  CHECK(fixture.ValueOf("listen=' a\"'") == " a\"");
  CHECK(fixture.ValueOf("listen=''").empty());
  CHECK(fixture.ValueOf("listen=").empty());
  CHECK(fixture.ValueOf("listen= # none").empty());
  CHECK(fixture.ValueOf("listen=# none").empty());
}

TEST_CASE("text behind quotes, quotes without an end and a file that cannot be read are refused") {
  Fixture fixture;
  std::istringstream more("\nlisten=\"a\" rubbish");
  CHECK(fixture.Refusal(more) == "--config: line 2 of its file says more behind its quotes");
  std::istringstream open("listen='a");
  CHECK(fixture.Refusal(open) == "--config: line 1 of its file has a quote that does not end");
  FailingBuffer failing;
  std::istream input(&failing);
  CHECK(fixture.Refusal(input) == "--config: its file cannot be read to its end");
}

TEST_CASE("a pipe is refused as a file of options before it is opened") {
  const tests::Folder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  Fixture fixture;
  std::string refusal;
  try {
    fixture.app.parse("--config " + (folder / "pipe"));
  } catch (const CLI::ParseError& error) {
    refusal = error.what();
  }
  CHECK_THAT(refusal, ContainsSubstring("--config: ") && ContainsSubstring("pipe' is no regular file"));
}

}  // namespace
}  // namespace twinkle::base

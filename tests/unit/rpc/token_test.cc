#include "runtime/rpc/token.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "runtime/base/fd.h"
#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::rpc {
namespace {

// A token file with this text.
std::string FileWith(const tests::Folder& folder, const std::string& text) {
  std::string file = folder / "token";
  const base::Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  REQUIRE(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  return file;
}

// One of the environment that is not set until the end of the scope.
class Variable {
 public:
  explicit Variable(const char* name) : name_(name), was_(Value()) { ::unsetenv(name); }
  ~Variable() {
    if (!was_.empty()) ::setenv(name_, was_.c_str(), 1);
  }

 private:
  std::string Value() const {
    const char* value = std::getenv(name_);
    return value == nullptr ? "" : value;
  }
  const char* const name_;
  const std::string was_;
};

TEST_CASE("a token is a line of printable characters, without the space around it") {
  const tests::Folder folder;
  CHECK(*ReadToken(FileWith(folder, "abc 123\n")) == "abc 123");
  CHECK(*ReadToken(FileWith(folder, " abc\r\n")) == "abc");
}

TEST_CASE("what no call could show is refused, and the file is named") {
  const tests::Folder folder;
  for (const std::string& text :
       {std::string("a\nb\n"), std::string("a\rb"), std::string("a\0b", 3), std::string("\x01"),
        std::string("\xc3\xa4"), std::string("a\x7f"), std::string(100'000, 'a'), std::string("\n"), std::string()}) {
    const std::string file = FileWith(folder, text);
    const absl::Status refused = ReadToken(file).status();
    INFO(refused);
    CHECK(absl::IsInvalidArgument(refused));
    CHECK(absl::StrContains(refused.message(), file));
    CHECK(ReadOrMakeToken(file).status() == refused);
  }
}

TEST_CASE("what is no regular file is no token, whoever may read it, and nobody waits for one who writes") {
  const tests::Folder folder;
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::string& file : {pipe, std::string("/"), std::string("/dev/null")}) {
    const absl::Status refused = ReadToken(file).status();
    CHECK(refused == absl::InvalidArgumentError(absl::StrCat("the token file ", file, " is no regular file")));
  }
}

TEST_CASE("a token that is made can be read, and is made once") {
  const tests::Folder folder;
  const std::string file = folder / "deep/token";
  CHECK(absl::IsNotFound(ReadToken(file).status()));
  const auto made = ReadOrMakeToken(file);
  REQUIRE(made.ok());
  CHECK(*ReadToken(file) == *made);
  CHECK(*ReadOrMakeToken(file) == *made);
}

TEST_CASE("without HOME the token is looked for where the system says that the user is at home") {
  const Variable file("TWINKLE_TOKEN_FILE"), home("HOME");
  const std::string found = DefaultTokenFile();
  CHECK((found.empty() || (found.front() == '/' && absl::EndsWith(found, "/.twinkle/token"))));
  if (::geteuid() == 0) CHECK(found == "/root/.twinkle/token");
}

TEST_CASE("without a file and without a home the error says what to set") {
  for (const absl::Status& refused : {ReadToken("").status(), ReadOrMakeToken("").status()}) {
    CHECK(absl::IsInvalidArgument(refused));
    CHECK(absl::StrContains(refused.message(), "TWINKLE_TOKEN_FILE"));
  }
}

}  // namespace
}  // namespace twinkle::rpc

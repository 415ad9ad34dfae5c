#include "worker/output_backlog.h"

#include <memory>
#include <string>

#include "tests/support/catch.h"

namespace twinkle::worker {
namespace {

using Catch::Matchers::ContainsSubstring;

OutputStore::Message MessageOf(const std::string& text, int lines = 1) {
  auto message = std::make_shared<v1::Output>();
  for (int i = 0; i < lines; ++i) {
    message->add_lines()->set_text(text);
    message->mutable_lines(i)->set_group("policy");
  }
  return message;
}

TEST_CASE("what a watcher keeps up with comes in order, and nothing else does") {
  OutputBacklog backlog(1000);
  CHECK(backlog.Next() == nullptr);
  backlog.Add(MessageOf("one"));
  backlog.Add(MessageOf("two"));
  CHECK(backlog.Next()->lines(0).text() == "one");
  CHECK(backlog.Next()->lines(0).text() == "two");
  CHECK(backlog.Next() == nullptr);
}

TEST_CASE("who does not keep up loses the oldest, and one line says how many, where they would have been") {
  OutputBacklog backlog(1000);
  backlog.Add(MessageOf("first", 3));
  for (int i = 0; i < 10; ++i) backlog.Add(MessageOf(std::string(200, static_cast<char>('a' + i)), 2));
  const OutputStore::Message note = backlog.Next();
  REQUIRE(note->lines_size() == 1);
  CHECK_THAT(note->lines(0).text(), ContainsSubstring("19 lines of the job are missing here"));
  CHECK(note->lines(0).group() == "policy");
  CHECK(backlog.Next()->lines(0).text() == std::string(200, 'i'));
  CHECK(backlog.Next()->lines(0).text() == std::string(200, 'j'));
  CHECK(backlog.Next() == nullptr);
}

TEST_CASE("a message that is larger than the bound alone is not lost") {
  OutputBacklog backlog(10);
  backlog.Add(MessageOf(std::string(1000, 'x')));
  CHECK(backlog.Next()->lines(0).text().size() == 1000);
}

}  // namespace
}  // namespace twinkle::worker

// Numbers are those of the invariants in fd_channel.h.
#include "runtime/rpc/fd_channel.h"

#include <fcntl.h>
#include <google/protobuf/wrappers.pb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

struct Ends {
  Ends() {
    auto pair = SocketPair();
    REQUIRE(pair.ok());
    ours = std::move(pair->first);
    theirs = std::move(pair->second);
    for (const base::Fd* end : {&ours, &theirs}) ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
  }
  base::Fd ours;
  base::Fd theirs;
};

using Message = google::protobuf::StringValue;

// A message that begins with that number.
Message Numbered(uint64_t number, size_t bytes = 0) {
  Message message;
  message.set_value(std::to_string(number) + ":" + std::string(bytes, static_cast<char>('a' + number % 26)));
  return message;
}

uint64_t NumberOf(const Message& message) { return std::stoull(message.value()); }

// A pipe whose writing end says that number when it is read.
base::Fd Saying(int number) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const base::Fd writing(ends[1]);
  REQUIRE(::write(writing.get(), &number, sizeof(number)) == sizeof(number));
  return base::Fd(ends[0]);
}

int SaidBy(const base::Fd& fd) {
  int number = -1;
  return ::read(fd.get(), &number, sizeof(number)) == sizeof(number) ? number : -1;
}

std::vector<base::Fd> One(base::Fd fd) {
  std::vector<base::Fd> fds;
  fds.push_back(std::move(fd));
  return fds;
}

TEST_CASE("a writer never waits for a reader, and loses nothing (FD1)") {
  const Ends ends;
  MessageWriter writer(ends.ours.get());
  constexpr uint64_t kCount = 3000;  // ten times what a socket takes
  for (uint64_t key = 0; key < kCount; ++key) REQUIRE(writer.Write(Numbered(key)).ok());
  CHECK_FALSE(*writer.Flush());
  CHECK(writer.shortage().empty());
  MessageReader reader(ends.theirs.get());
  for (uint64_t key = 0; key < kCount;) {
    Message message;
    const auto read = reader.Next(&message);
    REQUIRE(read.ok());
    if (!*read) {
      REQUIRE(writer.Flush().ok());
      continue;
    }
    REQUIRE(NumberOf(message) == key++);
  }
  CHECK(*writer.Flush());
}

TEST_CASE("each message has its own descriptors, in whatever pieces they arrive (FD1)") {
  const Ends ends;
  MessageWriter writer(ends.ours.get());
  MessageReader reader(ends.theirs.get(), {.descriptors = true});
  constexpr int kCount = 60;
  for (int i = 0; i < kCount; ++i) {  // large ones and small ones, with one, two or none
    std::vector<base::Fd> fds;
    for (int j = 0; j < i % 3; ++j) fds.push_back(Saying(100 * i + j));
    REQUIRE(writer.Write(Numbered(static_cast<uint64_t>(i), i % 2 == 0 ? 50'000 : 10), std::move(fds)).ok());
  }
  for (int i = 0; i < kCount;) {
    Message message;
    const auto read = reader.Next(&message);
    REQUIRE(read.ok());
    if (!*read) {
      REQUIRE(writer.Flush().ok());
      continue;
    }
    REQUIRE(NumberOf(message) == static_cast<uint64_t>(i));
    const std::vector<base::Fd> fds = reader.TakeFds();
    REQUIRE(fds.size() == static_cast<size_t>(i % 3));
    for (size_t j = 0; j < fds.size(); ++j) CHECK(SaidBy(fds[j]) == 100 * i + static_cast<int>(j));
    ++i;
  }
}

TEST_CASE("descriptors that are not asked for are closed unseen") {
  const Ends ends;
  MessageWriter writer(ends.ours.get());
  MessageReader reader(ends.theirs.get());
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  const base::Fd reading(pipe[0]);
  REQUIRE(*writer.Write(Numbered(1), One(base::Fd(pipe[1]))));
  Message message;
  REQUIRE(*reader.Next(&message));
  CHECK(reader.TakeFds().empty());
  char byte = 0;
  CHECK(::read(reading.get(), &byte, 1) == 0);  // nobody has the writing end any more
}

TEST_CASE("a reader without room for descriptors has the message all the same, and the next one has its own") {
  const Ends ends;
  MessageWriter writer(ends.ours.get());
  MessageReader reader(ends.theirs.get(), {.descriptors = true});
  REQUIRE(*writer.Write(Numbered(1), One(Saying(1))));
  REQUIRE(*writer.Write(Numbered(2), One(Saying(2))));
  rlimit usual{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &usual) == 0);
  const rlimit none{3, usual.rlim_max};
  Message message;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto read = reader.Next(&message);
  ::setrlimit(RLIMIT_NOFILE, &usual);
  REQUIRE((read.ok() && *read));
  CHECK(NumberOf(message) == 1);
  CHECK(reader.TakeFds().empty());
  REQUIRE(*reader.Next(&message));
  CHECK(NumberOf(message) == 2);
  const std::vector<base::Fd> fds = reader.TakeFds();
  REQUIRE(fds.size() == 1);
  CHECK(SaidBy(fds[0]) == 2);
}

TEST_CASE("what is too large harms nothing else") {
  const Ends ends;
  MessageWriter writer(ends.ours.get());
  std::vector<base::Fd> many;
  for (int i = 0; i < 17; ++i) many.push_back(Saying(i));
  CHECK(absl::IsInvalidArgument(writer.Write(Numbered(1), std::move(many)).status()));
  REQUIRE(*writer.Write(Numbered(2)));
  REQUIRE(*writer.Write(Numbered(3, 10'000)));
  MessageReader reader(ends.theirs.get(), {.most_bytes = 1000});
  Message message;
  REQUIRE(*reader.Next(&message));
  CHECK(NumberOf(message) == 2);
  CHECK(absl::IsInvalidArgument(reader.Next(&message).status()));
}

TEST_CASE("a closed socket, and only that, means that the other side is gone (FD2)") {
  Ends ends;
  MessageWriter writer(ends.ours.get());
  REQUIRE(*writer.Write(Numbered(1)));
  MessageReader reader(ends.theirs.get());
  ends.ours.Reset();
  Message message;
  REQUIRE(*reader.Next(&message));
  CHECK(absl::IsUnavailable(reader.Next(&message).status()));
  Ends others;
  MessageWriter lonely(others.ours.get());
  others.theirs.Reset();
  CHECK(absl::IsUnavailable(lonely.Write(Numbered(1)).status()));
}

}  // namespace
}  // namespace twinkle::rpc

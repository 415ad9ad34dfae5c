#include "runtime/rpc/near/ring_pair.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>

#include "runtime/rpc/secret.h"
#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

// One side's block as the other side sees it.
struct Side {
  std::string nonce = NewSecret();
  RingBlock own = *RingBlock::Make(nonce);
  absl::StatusOr<RingBlock> Open() { return RingBlock::Open(::getpid(), own.file().fd(), own.file().inode(), nonce); }
};

struct RingEnds {
  Side a;
  Side b;
  RingBlock a_by_b = *a.Open();
  RingBlock b_by_a = *b.Open();
  RingWriter writer{&a.own, &b_by_a, Stream::kData};
  RingReader reader{&b.own, &a_by_b, Stream::kData};
};

TEST_CASE("bytes come out of a ring as they went in, wherever it wraps") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  RingEnds pair;
  std::string sent;
  std::string received;
  while (sent.size() < 20 * RingBlock::Capacity(Stream::kData)) {
    std::string text(random() % 50000, '\0');
    for (char& c : text) c = static_cast<char>(random());
    const size_t taken = pair.writer.Write(text);
    pair.writer.Publish();
    sent += text.substr(0, taken);
    for (size_t reads = random() % 3; reads > 0; --reads) {
      const absl::StatusOr<std::string_view> there = pair.reader.Peek();
      REQUIRE(there.ok());
      const size_t some = there->empty() ? 0 : std::min<size_t>(there->size(), 1 + random() % 50000);
      received += there->substr(0, some);
      pair.reader.Consume(some);
    }
  }
  while (!pair.reader.Peek()->empty()) {
    received += *pair.reader.Peek();
    pair.reader.Consume(pair.reader.Peek()->size());
  }
  CHECK(sent == received);
}

TEST_CASE("a full ring takes nothing, and its reader knows that somebody waits for room") {
  RingEnds pair;
  const std::string much(2 * RingBlock::Capacity(Stream::kData), 'x');
  CHECK(pair.writer.Write(much) == RingBlock::Capacity(Stream::kData));
  CHECK(pair.reader.Peek()->empty());  // not published
  pair.writer.Publish();
  CHECK(pair.writer.Write("more") == 0);
  CHECK_FALSE(pair.writer.WantsRoom(true));
  CHECK(pair.reader.Consume(10));
  CHECK(pair.writer.WantsRoom(true));  // there is some by now
  CHECK(pair.writer.Write(much) == 10);
  pair.writer.WantsRoom(false);
  CHECK_FALSE(pair.reader.Consume(10));
}

TEST_CASE("a writer whose numbers make no sense is found out") {
  RingEnds pair;
  pair.a.own.writing(Stream::kData).written = RingBlock::Capacity(Stream::kData) + 1;
  CHECK(absl::IsInvalidArgument(pair.reader.Peek().status()));
  pair.a.own.writing(Stream::kData).written = ~uint64_t{0};
  CHECK(absl::IsInvalidArgument(pair.reader.Peek().status()));
  pair.b.own.reading(Stream::kData).read = 5000;  // more than was written: there is no room then
  CHECK(pair.writer.Write("text") == 0);
}

TEST_CASE("rings are mapped only by what they were offered as, and only for reading") {
  Side side;
  const int fd = side.own.file().fd();
  const uint64_t inode = side.own.file().inode();
  std::string other = side.nonce;
  other.back() ^= 1;
  CHECK(absl::IsFailedPrecondition(RingBlock::Open(::getpid(), fd, inode, other).status()));
  CHECK_FALSE(RingBlock::Open(::getpid(), fd, inode, "").ok());
  CHECK(absl::IsFailedPrecondition(RingBlock::Open(::getpid(), fd, inode + 1, side.nonce).status()));
  CHECK_FALSE(RingBlock::Open(::getpid(), 1 << 20, inode, side.nonce).ok());

  const base::Fd file(memory::OpenFileOf(::getpid(), side.own.file().fd(), true));
  REQUIRE(file.valid());  // the same user's
  CHECK(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0) == MAP_FAILED);
  CHECK(::ftruncate(file.get(), 0) != 0);
}

}  // namespace
}  // namespace twinkle::rpc

#include "runtime/rpc/grpc/compression_choice.h"

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kMessage = 1 << 20;

// A connection on which plain bytes and compressed ones take that long, in seconds a byte of what is sent.
struct Link {
  double plain;
  double zstd;
};

// Sends that much; gives the part of it that was compressed.
double Send(CompressionChoice& choice, const Link& link, size_t bytes, bool gets_shorter = true) {
  size_t compressed = 0;
  for (size_t sent = 0; sent < bytes; sent += kMessage) {
    const bool zstd = choice.consider() && choice.compress() && gets_shorter;
    if (zstd) compressed += kMessage;
    choice.OnSent(kMessage, zstd, absl::Seconds((zstd ? link.zstd : link.plain) * kMessage));
  }
  return static_cast<double>(compressed) / static_cast<double>(bytes);
}

TEST_CASE("a slow link is sent compressed bytes, once both ways were tried") {
  CompressionChoice choice(Compression::kAuto);
  CHECK_FALSE(choice.compress());
  const Link slow{.plain = 1e-8, .zstd = 3e-9};
  Send(choice, slow, 64 << 20);
  CHECK(Send(choice, slow, size_t{1} << 30) > 0.9);
}

TEST_CASE("a link on which compressing is slower is seldom looked at") {
  CompressionChoice choice(Compression::kAuto);
  const Link link{.plain = 2e-9, .zstd = 3e-9};
  Send(choice, link, 64 << 20);
  CHECK(Send(choice, link, size_t{1} << 30) < 0.07);
  CHECK(Send(choice, link, size_t{64} << 30) < 0.005);
}

TEST_CASE("a link that is faster than any compression is left alone") {
  CompressionChoice choice(Compression::kAuto);
  CHECK(Send(choice, {.plain = 4e-10, .zstd = 3e-9}, size_t{1} << 30) == 0);
  CHECK_FALSE(choice.consider());
}

TEST_CASE("bytes that get no shorter do not decide for those that do") {
  CompressionChoice choice(Compression::kAuto);
  const Link slow{.plain = 1e-8, .zstd = 3e-9};
  CHECK(Send(choice, slow, size_t{1} << 30, false) == 0);
  CHECK(Send(choice, slow, size_t{1} << 30) > 0.9);
  CHECK(Send(choice, slow, size_t{1} << 30, false) == 0);
  CHECK(Send(choice, slow, size_t{1} << 30) > 0.9);
}

TEST_CASE("a fast link that began slowly is soon left alone, whatever is sent on it") {
  for (const bool gets_shorter : {true, false}) {
    CompressionChoice choice(Compression::kAuto);
    Send(choice, {.plain = 2e-9, .zstd = 1e-9}, 24 << 20, gets_shorter);  // into memory that was never touched, say
    const Link fast{.plain = 4e-10, .zstd = 7e-10};
    Send(choice, fast, 160 << 20, gets_shorter);
    CHECK_FALSE(choice.consider());
    CHECK(Send(choice, fast, size_t{1} << 30) == 0);
  }
}

TEST_CASE("the choice follows the link") {
  CompressionChoice choice(Compression::kAuto);
  Send(choice, {.plain = 4e-10, .zstd = 3e-9}, size_t{1} << 30);
  const Link slow{.plain = 1e-8, .zstd = 3e-9};
  Send(choice, slow, size_t{2} << 30);
  CHECK(Send(choice, slow, size_t{1} << 30) > 0.9);
  Send(choice, {.plain = 4e-10, .zstd = 3e-9}, size_t{2} << 30);
  CHECK_FALSE(choice.consider());
}

TEST_CASE("who wishes one way gets that") {
  CompressionChoice none(Compression::kNone);
  CompressionChoice zstd(Compression::kZstd);
  CHECK(Send(none, {.plain = 1e-8, .zstd = 1e-9}, size_t{1} << 30) == 0);
  CHECK(Send(zstd, {.plain = 1e-10, .zstd = 1e-9}, size_t{1} << 30) == 1);
}

}  // namespace
}  // namespace twinkle::rpc

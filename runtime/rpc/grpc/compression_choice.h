// Whether what goes to another machine is compressed: whichever way has been faster.
#pragma once

#include <absl/time/time.h>
#include <twinkle/compression.h>

#include <array>
#include <cstddef>

namespace twinkle::rpc {

// Compares the two ways by trying both: some megabytes this way, some that way, and then the better one, with another
// look at the worse one now and then, ever more seldom while that changes nothing. What is compared is how fast the
// caller's bytes left, whatever the reason: the link, the processor, or how well they can be compressed. A connection
// that is faster than any processor compresses is left alone. Of one connection; not thread-safe.
class CompressionChoice {
 public:
  explicit CompressionChoice(Compression wish) : wish_(wish) {}

  // Whether it is worth finding out if the next message can be compressed well; if it can, whether it is to be.
  bool consider() const;
  bool compress() const { return wish_ == Compression::kZstd || (wish_ == Compression::kAuto && way_ == kZstd); }

  // A message of that many bytes, before compression, took that long: from when the connection could take it to when it
  // could take the next.
  void OnSent(size_t bytes, bool compressed, absl::Duration took);

 private:
  enum Way { kPlain, kZstd };
  void BeginPhase(Way way, size_t bytes);
  void EndPhase();
  void OnSentPlainAnyway(size_t bytes, absl::Duration took);

  const Compression wish_;
  Way way_ = kPlain;
  std::array<double, 2> rate_ = {0, 0};  // bytes/s, as last measured; 0: never
  // The phase under way. Its first half is not counted: what is buffered on the way tells nothing.
  size_t length_ = 0;  // bytes; 0: none has begun
  size_t sent_ = 0;
  size_t counted_bytes_ = 0;
  absl::Duration counted_time_;
  // What went plain while the other way was chosen: bytes that get no shorter, say.
  size_t anyway_bytes_ = 0;
  absl::Duration anyway_time_;
  size_t stay_ = 0;  // how long the better way is kept before the next look at the other
};

}  // namespace twinkle::rpc

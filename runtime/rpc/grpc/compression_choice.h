// CompressionChoice: whether messages to another machine are compressed, by which way has been faster.
#pragma once

#include <absl/time/time.h>
#include <twinkle/compression.h>

#include <array>
#include <cstddef>

namespace twinkle::rpc {

// Compares the two ways of sending on one connection, plain and compressed, by trying both. It sends some megabytes
// each way, then goes on with the better one, and tries the worse one again now and then, ever more seldom while the
// result stays the same. It compares how fast the caller's bytes left, whatever the reason: the link, the processor, or
// how well the bytes can be compressed. A connection that is faster than any processor compresses stays plain. For one
// thread at a time.
class CompressionChoice {
 public:
  explicit CompressionChoice(Compression wish) : wish_(wish) {}

  // Whether compression is worth considering for the next message; and if it can be compressed well, whether it is to
  // be compressed.
  bool consider() const;
  bool compress() const { return wish_ == Compression::kZstd || (wish_ == Compression::kAuto && way_ == kZstd); }

  // A message was sent. `bytes`: before compression. `took`: from when the connection could take it until it could take
  // the next.
  void OnSent(size_t bytes, bool compressed, absl::Duration took);

 private:
  enum Way { kPlain, kZstd };
  void BeginPhase(Way way, size_t bytes);
  void EndPhase();
  void OnSentPlainAnyway(size_t bytes, absl::Duration took);

  const Compression wish_;
  Way way_ = kPlain;
  std::array<double, 2> rate_ = {0, 0};  // bytes/s by way, as last measured; 0: never
  // The current phase, which sends one way. Its first half is not counted, because bytes that fill buffers on the way
  // tell nothing.
  size_t length_ = 0;  // bytes of the phase; 0: no phase has begun
  size_t sent_ = 0;
  size_t counted_bytes_ = 0;
  absl::Duration counted_time_;
  // Messages that went plain in a compressed phase, for example because they cannot be made shorter.
  size_t anyway_bytes_ = 0;
  absl::Duration anyway_time_;
  size_t stay_ = 0;  // bytes for which the better way is kept before the next trial of the other
};

}  // namespace twinkle::rpc

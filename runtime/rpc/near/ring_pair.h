// Two processes of one machine write each other bytes through memory.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/memory/memory_file.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// What one process of a pair writes and the other reads: a ring of bytes for each stream, and how far it has read the
// other's. Nobody but its maker can write to it.
class RingBlock {
 public:
  // Its memory begins with the nonce.
  static absl::StatusOr<RingBlock> Make(const std::string& nonce);
  // That of another process, behind that descriptor of it. FailedPrecondition: it is another file, or another nonce's.
  static absl::StatusOr<RingBlock> Open(int pid, int fd, uint64_t inode, const std::string& nonce);

  static size_t Capacity(Stream stream);

  struct alignas(64) Writing {
    std::atomic<uint64_t> written;     // bytes, ever
    std::atomic<uint32_t> wants_room;  // the writer waits for the reader
  };
  struct alignas(64) Reading {
    std::atomic<uint64_t> read;  // bytes of the other's ring, ever
  };
  Writing& writing(Stream stream) const;
  Reading& reading(Stream stream) const;
  std::byte* ring(Stream stream) const;
  memory::MemoryFile& file() { return file_; }

 private:
  struct Header;
  explicit RingBlock(memory::MemoryFile file) : file_(std::move(file)) {}
  Header& header() const;
  memory::MemoryFile file_;
};

// The writer's side of one stream. One thread at a time.
class RingWriter {
 public:
  RingWriter(const RingBlock* mine, const RingBlock* theirs, Stream stream)
      : mine_(*mine), theirs_(*theirs), stream_(stream) {}

  // Takes as much as there is room for; the reader sees it after Publish.
  size_t Write(std::string_view bytes);
  void Publish();
  // Whether the reader is to ring when it has made room. True: it need not, there is some.
  bool WantsRoom(bool wants);

 private:
  size_t Room() const;

  const RingBlock& mine_;
  const RingBlock& theirs_;
  const Stream stream_;
  uint64_t written_ = 0;
};

// The reader's side. One thread at a time.
class RingReader {
 public:
  RingReader(const RingBlock* mine, const RingBlock* theirs, Stream stream)
      : mine_(*mine), theirs_(*theirs), stream_(stream) {}

  // What can be read in one piece; empty: nothing. InvalidArgument: the writer's numbers make no sense.
  absl::StatusOr<std::string_view> Peek() const;
  // That much has been read; whether the writer waits for it.
  bool Consume(size_t bytes);

 private:
  const RingBlock& mine_;
  const RingBlock& theirs_;
  const Stream stream_;
  uint64_t read_ = 0;
};

}  // namespace twinkle::rpc

// Rings: bytes from one process of a machine to another, through memory.
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

// The memory that one process of a pair writes and the other reads. It has a ring of bytes for each stream, and how far
// this process has read the other's rings. Only its maker can write to it. A stream's ring has one writer and one
// reader, which may run at the same time.
class RingBlock {
 public:
  // Makes a block whose memory begins with the nonce. ResourceExhausted as MemoryFile::Make.
  static absl::StatusOr<RingBlock> Make(const std::string& nonce);
  // Maps the block that process `pid` has open as `fd`. FailedPrecondition: it is another file, or has another nonce.
  // Other errors as MemoryFile::Open.
  static absl::StatusOr<RingBlock> Open(int pid, int fd, uint64_t inode, const std::string& nonce);

  // The bytes of a stream's ring.
  static size_t Capacity(Stream stream);

  // How far a stream's ring was written.
  struct alignas(64) Writing {
    std::atomic<uint64_t> written;     // bytes since the beginning
    std::atomic<uint32_t> wants_room;  // not 0: the writer waits for room
  };
  // How far the other's ring of a stream was read.
  struct alignas(64) Reading {
    std::atomic<uint64_t> read;  // bytes since the beginning
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

// Writes to the ring of one stream. For one thread at a time. The blocks must outlive it.
class RingWriter {
 public:
  RingWriter(const RingBlock* mine, const RingBlock* theirs, Stream stream)
      : mine_(*mine), theirs_(*theirs), stream_(stream) {}

  // Writes as many bytes as there is room for, and returns how many. The reader sees them after Publish.
  size_t Write(std::string_view bytes);
  void Publish();
  // Sets whether the reader must ring once it has made room. True: there is room by now, and it need not.
  bool WantsRoom(bool wants);

 private:
  size_t Room() const;

  const RingBlock& mine_;
  const RingBlock& theirs_;
  const Stream stream_;
  uint64_t written_ = 0;
};

// Reads the ring of one stream. For one thread at a time. The blocks must outlive it.
class RingReader {
 public:
  RingReader(const RingBlock* mine, const RingBlock* theirs, Stream stream)
      : mine_(*mine), theirs_(*theirs), stream_(stream) {}

  // The bytes that can be read in one piece; empty: there are none. InvalidArgument: the writer's numbers make no
  // sense.
  absl::StatusOr<std::string_view> Peek() const;
  // Marks bytes as read. Returns whether the writer waits for room.
  bool Consume(size_t bytes);

 private:
  const RingBlock& mine_;
  const RingBlock& theirs_;
  const Stream stream_;
  uint64_t read_ = 0;
};

}  // namespace twinkle::rpc

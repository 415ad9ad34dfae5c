#include "runtime/rpc/near/ring_pair.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "runtime/base/status.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kHeaderBytes = 4096;
constexpr size_t kNonceBytes = 64;  // at most
constexpr size_t kDataBytes = 64 << 10;
constexpr size_t kControlBytes = 16 << 10;
constexpr size_t kBlockBytes = kHeaderBytes + kDataBytes + kControlBytes;

}  // namespace

struct RingBlock::Header {
  std::array<char, kNonceBytes> nonce;
  std::array<Writing, 2> writing;  // by stream
  std::array<Reading, 2> reading;
};

size_t RingBlock::Capacity(Stream stream) { return stream == Stream::kData ? kDataBytes : kControlBytes; }

RingBlock::Header& RingBlock::header() const {
  static_assert(sizeof(Header) <= kHeaderBytes && std::atomic<uint64_t>::is_always_lock_free);
  return *std::launder(reinterpret_cast<Header*>(file_.data()));
}

RingBlock::Writing& RingBlock::writing(Stream stream) const { return header().writing[static_cast<size_t>(stream)]; }
RingBlock::Reading& RingBlock::reading(Stream stream) const { return header().reading[static_cast<size_t>(stream)]; }
std::byte* RingBlock::ring(Stream stream) const {
  return file_.data() + kHeaderBytes + (stream == Stream::kData ? 0 : kDataBytes);
}

absl::StatusOr<RingBlock> RingBlock::Make(const std::string& nonce) {
  TWINKLE_ASSIGN_OR_RETURN(memory::MemoryFile file,
                           memory::MemoryFile::Make("twinkle.ring", kBlockBytes, memory::MemoryFile::Others::kRead));
  new (file.data()) Header{};
  std::memcpy(file.data(), nonce.data(), std::min(nonce.size(), kNonceBytes));
  return RingBlock(std::move(file));
}

absl::StatusOr<RingBlock> RingBlock::Open(int pid, int fd, uint64_t inode, const std::string& nonce) {
  TWINKLE_ASSIGN_OR_RETURN(memory::MemoryFile file,
                           memory::MemoryFile::Open(pid, fd, inode, kBlockBytes, memory::MemoryFile::Others::kRead));
  if (nonce.empty() || nonce.size() > kNonceBytes || std::memcmp(file.data(), nonce.data(), nonce.size()) != 0) {
    return absl::FailedPreconditionError("it is another process's");
  }
  return RingBlock(std::move(file));
}

// ---- writing
// The room is computed from the reader's number, which is not trusted. At worst there seems to be no room, or bytes are
// overwritten that the reader has not read.
size_t RingWriter::Room() const {
  const size_t capacity = RingBlock::Capacity(stream_);
  const uint64_t unread = written_ - theirs_.reading(stream_).read.load();
  return unread < capacity ? capacity - unread : 0;
}

size_t RingWriter::Write(std::string_view bytes) {
  const size_t capacity = RingBlock::Capacity(stream_);
  const size_t taken = std::min(bytes.size(), Room());
  const size_t offset = written_ % capacity;
  const size_t first = std::min(taken, capacity - offset);
  if (taken > 0) std::memcpy(mine_.ring(stream_) + offset, bytes.data(), first);
  if (taken > first) std::memcpy(mine_.ring(stream_), bytes.data() + first, taken - first);
  written_ += taken;
  return taken;
}

void RingWriter::Publish() { mine_.writing(stream_).written.store(written_, std::memory_order_release); }

bool RingWriter::WantsRoom(bool wants) {
  mine_.writing(stream_).wants_room.store(wants ? 1 : 0);
  return wants && Room() > 0;
}

// ---- reading
absl::StatusOr<std::string_view> RingReader::Peek() const {
  const size_t capacity = RingBlock::Capacity(stream_);
  const uint64_t unread = theirs_.writing(stream_).written.load(std::memory_order_acquire) - read_;
  if (unread > capacity) return absl::InvalidArgumentError("a ring with more in it than it holds");
  const size_t offset = read_ % capacity;
  return std::string_view(reinterpret_cast<const char*>(theirs_.ring(stream_)) + offset,
                          std::min<size_t>(unread, capacity - offset));
}

bool RingReader::Consume(size_t bytes) {
  read_ += bytes;
  mine_.reading(stream_).read.store(read_);
  return theirs_.writing(stream_).wants_room.load() != 0;
}

}  // namespace twinkle::rpc

#include "runtime/rpc/near/ring_link.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "runtime/base/status.h"

namespace twinkle::rpc {
namespace {

constexpr std::array<Stream, 2> kControlFirst = {Stream::kControl, Stream::kData};

std::string_view TextOf(const codec::Buffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.data), buffer.size};
}

// A buffer with a copy of the bytes.
codec::Buffer Kept(std::string_view text) {
  const auto kept = std::make_shared<const std::string>(text);
  return {reinterpret_cast<const std::byte*>(kept->data()), kept->size(), kept};
}

}  // namespace

// ---- introductions
std::optional<RingOffer> RingLink::MakeMine(const std::string& nonce, const Doorbell& bell) {
  base::MutexLock lock(&mutex_);
  absl::StatusOr<RingBlock> mine = RingBlock::Make(nonce);
  if (!mine.ok()) return std::nullopt;
  mine_ = *std::move(mine);
  const memory::MemoryFile& file = mine_->file();
  return RingOffer{bell.file().fd(), bell.file().inode(), static_cast<uint32_t>(slot_), file.fd(), file.inode()};
}

bool RingLink::MapTheirs(int pid, const std::string& nonce, const RingOffer& offer) {
  base::MutexLock lock(&mutex_);
  if (theirs_) return true;
  if (offer.bell_slot >= Doorbell::kSlots) return false;
  absl::StatusOr<RingBlock> theirs = RingBlock::Open(pid, offer.ring_fd, offer.ring_inode, nonce);
  if (!theirs.ok()) return false;
  absl::StatusOr<Doorbell> bell = Doorbell::Open(pid, offer.bell_fd, offer.bell_inode);
  if (!bell.ok()) return false;
  bell_ = *std::move(bell);
  bell_slot_ = offer.bell_slot;
  theirs_ = *std::move(theirs);
  ready_ = mine_is_mapped_;
  return true;
}

void RingLink::OnAnswer(bool mapped) {
  base::MutexLock lock(&mutex_);
  if (!mine_) return;
  mine_->file().CloseFd();
  mine_is_mapped_ = mapped;
  ready_ = mapped && theirs_.has_value();
}

absl::Status RingLink::OnSwitched(Stream stream) {
  base::MutexLock lock(&mutex_);
  Incoming& in = incoming_[static_cast<size_t>(stream)];
  if (!mine_ || !theirs_ || in.switched) {
    return absl::FailedPreconditionError("it goes on in a ring that is not there");
  }
  in.reader.emplace(&*mine_, &*theirs_, stream);
  in.switched = true;
  return absl::OkStatus();
}

// ---- sending
absl::Status RingLink::Send(Stream stream, Frame frame, const Frame& switched, size_t* in_ring) {
  Outgoing& out = outgoing_[static_cast<size_t>(stream)];
  std::vector<codec::Buffer> written;  // destroyed without the lock, for they may be the last owners of a user's value
  base::MutexLock lock(&out.mutex);
  if (!out.writer && ready_) {
    TWINKLE_RETURN_IF_ERROR(below_(stream, switched));
    out.writer.emplace(&*mine_, &*theirs_, stream);
  }
  if (!out.writer) return below_(stream, std::move(frame));
  *in_ring = frame.bytes();
  Push(out, frame, &written);
  bell_->Ring(bell_slot_);
  return absl::OkStatus();
}

void RingLink::Push(Outgoing& out, const Frame& frame, std::vector<codec::Buffer>* written) {
  const auto push = [&](std::string_view bytes, const codec::Buffer* buffer) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const size_t taken = out.waiting.empty() ? out.writer->Write(bytes) : 0;
    if (taken == bytes.size()) return;
    out.waiting.push_back(buffer == nullptr ? Kept(bytes.substr(taken))
                                            : codec::Buffer{buffer->data + taken, buffer->size - taken, buffer->owner});
  };
  push(FramePrefix(frame), nullptr);
  push(frame.head, nullptr);
  for (const codec::Buffer& buffer : frame.buffers) push(TextOf(buffer), &buffer);
  out.writer->Publish();
  if (!out.waiting.empty()) Drain(out, written);
}

// After the last round there is no room, or nothing waits. If something waits the reader rings once it has made room.
bool RingLink::Drain(Outgoing& out, std::vector<codec::Buffer>* written) {
  bool wrote = false;
  do {
    while (!out.waiting.empty()) {
      codec::Buffer& buffer = out.waiting.front();
      const size_t taken = out.writer->Write(TextOf(buffer));
      wrote = wrote || taken > 0;
      if (taken < buffer.size) {
        buffer.data += taken;
        buffer.size -= taken;
        break;
      }
      written->push_back(std::move(buffer));
      out.waiting.pop_front();
    }
    out.writer->Publish();
    out.waits = !out.waiting.empty();
  } while (out.writer->WantsRoom(out.waits));
  return wrote;
}

// ---- polling
absl::Status RingLink::Read(Stream stream, std::vector<Frame>* frames, bool* more) {
  Incoming& in = incoming_[static_cast<size_t>(stream)];
  if (!in.switched) return absl::OkStatus();
  bool writer_waits = false;
  size_t left = RingBlock::Capacity(stream);
  while (left > 0) {
    const absl::StatusOr<std::string_view> bytes = in.reader->Peek();
    absl::Status read = bytes.ok() ? in.frames.Read(*bytes, frames) : bytes.status();
    if (!read.ok()) {
      in.switched = false;  // nothing that follows makes sense
      return read;
    }
    if (bytes->empty()) break;
    writer_waits = in.reader->Consume(bytes->size()) || writer_waits;
    left -= std::min(left, bytes->size());
  }
  if (writer_waits) bell_->Ring(bell_slot_);
  *more = left == 0;
  return absl::OkStatus();
}

bool RingLink::Flush() {
  bool wrote = false;
  for (const Stream stream : kControlFirst) {
    Outgoing& out = outgoing_[static_cast<size_t>(stream)];
    if (!out.waits) continue;
    std::vector<codec::Buffer> written;
    base::MutexLock lock(&out.mutex);
    if (!Drain(out, &written)) continue;
    wrote = true;
    bell_->Ring(bell_slot_);
  }
  return wrote;
}

void RingLink::Forget() {
  ready_ = false;
  for (Outgoing& out : outgoing_) {
    std::deque<codec::Buffer> unsent;
    base::MutexLock lock(&out.mutex);
    out.writer.reset();
    unsent.swap(out.waiting);
    out.waits = false;
  }
  for (Incoming& in : incoming_) in.switched = false;
  base::MutexLock lock(&mutex_);
  mine_.reset();
  theirs_.reset();
  bell_.reset();
}

}  // namespace twinkle::rpc

#include "runtime/rpc/near/shared_buffers.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "runtime/base/bytes_text.h"
#include "runtime/base/status.h"
#include "runtime/rpc/near/probe.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kCopiesKnown = 64;  // recent copies that are found again

// The owner of a buffer that is mapped here. Its end gives the lease back.
struct Held {
  Held(std::shared_ptr<Releases> to, ProcessId peer, uint64_t id) : releases(std::move(to)), owner(peer), lease(id) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    memory.reset();
    releases->Add(owner, lease);
  }
  const std::shared_ptr<Releases> releases;
  const ProcessId owner;
  const uint64_t lease;
  std::shared_ptr<const std::byte> memory;
};

}  // namespace

// ---- another process's memory
PeerMemory::PeerMemory(const std::vector<std::shared_ptr<memory::SharedMemory>>& memories, int pid) {
  for (const auto& memory : memories) kinds_.push_back(memory->MappedOf(pid));
}

absl::StatusOr<std::shared_ptr<const std::byte>> PeerMemory::At(const memory::Place& place, size_t bytes) const {
  if (place.index() >= kinds_.size()) {
    return absl::InvalidArgumentError("a place in memory of a kind that is unknown here");
  }
  return kinds_[place.index()]->At(place, bytes);
}

void PeerMemory::Forget(const UnmappedChunk& gone) const {
  if (gone.kind < kinds_.size()) kinds_[gone.kind]->Forget(gone.chunk);
}

SharedBuffers::SharedBuffers(Options options, std::shared_ptr<Releases> releases, std::shared_ptr<Traffic> traffic)
    : options_(std::move(options)), releases_(std::move(releases)), traffic_(std::move(traffic)) {
  for (size_t kind = 0; kind < options_.memories.size(); ++kind) {
    options_.memories[kind]->OnUnmapped([weak = std::weak_ptr(releases_), kind](uint64_t chunk) {
      if (const auto told = weak.lock()) told->AddUnmapped({kind, chunk});
    });
  }
}

// ---- sending
std::vector<SharedBuffer> SharedBuffers::Share(ProcessId to, Frame* frame) {
  std::vector<SharedBuffer> shared;
  std::vector<codec::Buffer> travelling;
  for (size_t i = 0; i < frame->buffers.size(); ++i) {
    codec::Buffer& buffer = frame->buffers[i];
    memory::Place place;
    std::shared_ptr<const void> owner;
    if (buffer.size >= options_.from_bytes) owner = InSharedMemory(buffer, &place);
    if (owner == nullptr) {
      travelling.push_back(std::move(buffer));
      continue;
    }
    traffic_->shared.sent += buffer.size;
    shared.push_back({i, place, buffer.size, leases_.Add(to, std::move(owner))});
  }
  frame->buffers = std::move(travelling);
  return shared;
}

void SharedBuffers::Unshare(ProcessId to, const std::vector<SharedBuffer>& shared) {
  std::vector<uint64_t> leases;
  leases.reserve(shared.size());
  for (const SharedBuffer& buffer : shared) leases.push_back(buffer.lease);
  leases_.Release(to, leases);
}

// Finds a buffer in shared memory, or copies it there; returns the owner that keeps it, and sets its place. Null: there
// is no room, or the buffer is in a file.
std::shared_ptr<const void> SharedBuffers::InSharedMemory(const codec::Buffer& buffer, memory::Place* place) {
  for (const auto& memory : options_.memories) {
    if (const auto found = memory->Find(buffer.data, buffer.size)) {
      *place = *found;
      return buffer.owner;
    }
  }
  if (options_.files != nullptr && options_.files->Has(buffer.data)) return nullptr;
  std::shared_ptr<const Copy> copy = CopyOf(buffer);
  if (copy != nullptr) *place = *options_.memories.front()->Find(copy->memory.get(), buffer.size);
  return copy;
}

// A recent copy of the buffer, or a new one. Null: there is no room, or no shared memory.
std::shared_ptr<const SharedBuffers::Copy> SharedBuffers::CopyOf(const codec::Buffer& buffer) {
  if (buffer.owner != nullptr) {
    base::MutexLock lock(&mutex_);
    for (const Copied& known : copied_) {
      if (known.data != buffer.data || known.size != buffer.size || known.owner.lock() != buffer.owner) continue;
      if (auto copy = known.copy.lock()) return copy;
    }
  }
  if (options_.memories.empty()) return nullptr;
  std::shared_ptr<std::byte> memory = options_.memories.front()->CopyOf(buffer.data, buffer.size);
  if (memory == nullptr) return nullptr;
  auto copy = std::make_shared<const Copy>(Copy{std::move(memory), buffer.owner});
  traffic_->copied_to_share += buffer.size;
  base::MutexLock lock(&mutex_);
  if (copied_.size() < kCopiesKnown) copied_.emplace_back();
  copied_[next_copied_++ % kCopiesKnown] = {buffer.owner, buffer.data, buffer.size, copy};
  return copy;
}

// ---- receiving
absl::StatusOr<std::shared_ptr<const PeerMemory>> SharedBuffers::MemoryOf(const Hello& hello) {
  using Readable = absl::StatusOr<bool>;
  const Readable readable = spare_.Lend([&]() -> Readable {
    TWINKLE_RETURN_IF_ERROR(Probe::Check(hello.pid, hello.probe_fd, hello.nonce));
    return true;
  });
  TWINKLE_RETURN_IF_ERROR(readable.status());
  return std::make_shared<const PeerMemory>(options_.memories, hello.pid);
}

absl::Status SharedBuffers::Resolve(ProcessId from, const PeerMemory& memory, const std::vector<SharedBuffer>& shared,
                                    Frame* frame, std::vector<uint64_t>* unmapped) {
  if (shared.empty()) return absl::OkStatus();
  const bool has_thread = releases_->Ready();
  std::vector<codec::Buffer> all;
  size_t travelled = 0;
  for (const SharedBuffer& buffer : shared) {
    while (all.size() < buffer.index && travelled < frame->buffers.size()) {
      all.push_back(std::move(frame->buffers[travelled++]));
    }
    if (all.size() != buffer.index) return absl::InvalidArgumentError("buffers out of order");
    TWINKLE_ASSIGN_OR_RETURN(codec::Buffer mapped, Map(from, memory, buffer, has_thread, unmapped));
    all.push_back(std::move(mapped));
  }
  while (travelled < frame->buffers.size()) all.push_back(std::move(frame->buffers[travelled++]));
  frame->buffers = std::move(all);
  return absl::OkStatus();
}

absl::StatusOr<codec::Buffer> SharedBuffers::Map(ProcessId from, const PeerMemory& memory, const SharedBuffer& shared,
                                                 bool has_thread, std::vector<uint64_t>* unmapped) {
  absl::StatusOr<std::shared_ptr<const std::byte>> bytes = base::NoThread();
  if (has_thread) bytes = spare_.Lend([&] { return memory.At(shared.place, shared.bytes); });
  if (absl::IsResourceExhausted(bytes.status())) {
    unmapped->push_back(shared.lease);
    return codec::Missing(shared.bytes, absl::ResourceExhaustedError(absl::StrCat(
                                            "a value of ", base::BytesText(shared.bytes),
                                            " that came cannot be mapped here: ", bytes.status().message())));
  }
  const auto held = std::make_shared<Held>(releases_, from, shared.lease);
  TWINKLE_RETURN_IF_ERROR(bytes.status());
  held->memory = *std::move(bytes);
  traffic_->shared.received += shared.bytes;
  return codec::Buffer{held->memory.get(), shared.bytes, held};
}

// ---- the end
void SharedBuffers::Close() {
  {
    base::MutexLock lock(&mutex_);
    copied_.clear();
  }
  for (const auto& memory : options_.memories) memory->Close();
}

}  // namespace twinkle::rpc

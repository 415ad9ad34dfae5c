#include "tests/support/fake_shared_memory.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace twinkle::memory {

// As one process maps another's chunks.
class FakeMappedMemory final : public MappedMemory {
 public:
  FakeMappedMemory(FakeMachine* machine, int pid) : machine_(*machine), pid_(pid) {}

  absl::StatusOr<std::shared_ptr<const std::byte>> At(const Place& place, size_t bytes) override {
    const SegmentPlace& at = std::get<SegmentPlace>(place);
    base::MutexLock lock(&machine_.mutex_);
    std::shared_ptr<const FakeMachine::Bytes>& chunk = chunks_[at.segment];
    if (chunk == nullptr) {
      if (!machine_.answer_.ok()) return machine_.answer_;
      const FakeMachine::Chunk& there = machine_.chunks_[at.segment];
      if (there.pid == pid_) chunk = there.bytes.lock();
      if (chunk == nullptr) return absl::NotFoundError("no such chunk");
      machine_.mapped_.push_back(chunk);
    }
    if (at.offset > chunk->size() || bytes > chunk->size() - at.offset) {
      return absl::InvalidArgumentError("a place outside its chunk");
    }
    return std::shared_ptr<const std::byte>(chunk, chunk->data() + at.offset);
  }
  void Forget(uint64_t chunk) override {
    base::MutexLock lock(&machine_.mutex_);
    chunks_.erase(chunk);
  }

 private:
  FakeMachine& machine_;
  const int pid_;
  std::map<uint64_t, std::shared_ptr<const FakeMachine::Bytes>> chunks_ ABSL_GUARDED_BY(machine_.mutex_);
};

std::shared_ptr<FakeSharedMemory> FakeMachine::Start(int pid, size_t capacity) {
  return std::make_shared<FakeSharedMemory>(this, pid, capacity);
}

void FakeMachine::RefuseMapping(absl::Status answer) {
  base::MutexLock lock(&mutex_);
  answer_ = std::move(answer);
}

size_t FakeMachine::mapped_count() const {
  base::MutexLock lock(&mutex_);
  return static_cast<size_t>(
      std::count_if(mapped_.begin(), mapped_.end(), [](const auto& chunk) { return !chunk.expired(); }));
}

std::optional<Place> FakeSharedMemory::Find(const std::byte* data, size_t bytes) const {
  base::MutexLock lock(&mutex_);
  for (const auto& [chunk, block] : blocks_) {
    if (data < block->data() || data > block->data() + block->size()) continue;
    const size_t offset = static_cast<size_t>(data - block->data());
    if (bytes > block->size() - offset) continue;
    return SegmentPlace{.segment = chunk, .segment_bytes = block->size(), .offset = offset};
  }
  return std::nullopt;
}

std::shared_ptr<std::byte> FakeSharedMemory::CopyOf(const std::byte* data, size_t bytes) {
  if (::getpid() != process_) return nullptr;
  auto block = std::make_shared<FakeMachine::Bytes>(data, data + bytes);
  base::MutexLock lock(&mutex_);
  if (closed_ || bytes > capacity_ - used_) return nullptr;
  used_ += bytes;
  base::MutexLock machine_lock(&machine_.mutex_);
  const uint64_t chunk = machine_.next_++;
  machine_.chunks_[chunk] = {pid_, block};
  blocks_[chunk] = block.get();
  std::byte* const memory = block->data();
  return {memory, [self = shared_from_this(), chunk, block = std::move(block)](std::byte*) mutable {
            self->Free(chunk, std::move(block));
          }};
}

void FakeSharedMemory::Free(uint64_t chunk, std::shared_ptr<FakeMachine::Bytes> bytes) {
  if (::getpid() != process_) return;
  std::function<void(uint64_t)> unmapped;
  {
    base::MutexLock lock(&mutex_);
    used_ -= bytes->size();
    blocks_.erase(chunk);
    unmapped = unmapped_;
    base::MutexLock machine_lock(&machine_.mutex_);
    machine_.chunks_.erase(chunk);
  }
  bytes = nullptr;
  if (unmapped) unmapped(chunk);
}

std::unique_ptr<MappedMemory> FakeSharedMemory::MappedOf(int pid) const {
  return std::make_unique<FakeMappedMemory>(&machine_, pid);
}

void FakeSharedMemory::OnUnmapped(std::function<void(uint64_t chunk)> unmapped) {
  base::MutexLock lock(&mutex_);
  unmapped_ = std::move(unmapped);
}

void FakeSharedMemory::Close() {
  base::MutexLock lock(&mutex_);
  closed_ = true;
}

}  // namespace twinkle::memory

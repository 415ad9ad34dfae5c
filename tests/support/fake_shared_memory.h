// Shared memory for tests: a machine whose processes are objects of the test, with each block a chunk of its own.
#pragma once

#include <absl/status/status.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <vector>

#include "runtime/base/mutex.h"
#include "runtime/memory/shared_memory.h"

namespace twinkle::memory {

class FakeSharedMemory;

// What is shared on it, and what of that is mapped. Outlives the memories of its processes. Thread-safe.
class FakeMachine {
 public:
  // The memory of a new process, with room for that many bytes. Several may have one pid.
  std::shared_ptr<FakeSharedMemory> Start(int pid, size_t capacity = size_t{1} << 30);
  // What mapping a chunk answers from now on; OK: it is mapped again.
  void RefuseMapping(absl::Status answer);
  // Of chunks that are mapped by others.
  size_t mapped_count() const;

 private:
  friend class FakeSharedMemory;
  friend class FakeMappedMemory;
  using Bytes = std::vector<std::byte>;
  struct Chunk {
    int pid = 0;
    std::weak_ptr<Bytes> bytes;
  };

  mutable base::Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, Chunk> chunks_ ABSL_GUARDED_BY(mutex_);  // that their owners have
  std::vector<std::weak_ptr<const Bytes>> mapped_ ABSL_GUARDED_BY(mutex_);
  absl::Status answer_ ABSL_GUARDED_BY(mutex_);
};

// A chunk is gone as soon as its block is, so there is nothing to trim.
class FakeSharedMemory final : public SharedMemory, public std::enable_shared_from_this<FakeSharedMemory> {
 public:
  // Made by FakeMachine::Start.
  FakeSharedMemory(FakeMachine* machine, int pid, size_t capacity)
      : machine_(*machine), pid_(pid), capacity_(capacity) {}

  std::optional<Place> Find(const std::byte* data, size_t bytes) const override;
  std::shared_ptr<std::byte> CopyOf(const std::byte* data, size_t bytes) override;
  std::unique_ptr<MappedMemory> MappedOf(int pid) const override;
  void OnUnmapped(std::function<void(uint64_t chunk)> unmapped) override;
  void OnIdle(std::function<void(absl::Duration delay)>) override {}
  void Trim() override {}
  void Close() override;

 private:
  void Free(uint64_t chunk, std::shared_ptr<FakeMachine::Bytes> bytes);

  FakeMachine& machine_;
  const int pid_;
  const size_t capacity_;
  const pid_t process_ = ::getpid();
  mutable base::Mutex mutex_;
  size_t used_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<uint64_t, FakeMachine::Bytes*> blocks_ ABSL_GUARDED_BY(mutex_);  // by chunk
  std::function<void(uint64_t)> unmapped_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::memory

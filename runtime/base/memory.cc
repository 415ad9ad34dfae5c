#include "runtime/base/memory.h"

#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "runtime/base/installed.h"
#include "runtime/base/memory_limit.h"

namespace twinkle::base {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr size_t kCheckedBytes = size_t{1} << 30;  // from this size on IsBeyondMachine is asked

constexpr size_t kStep = size_t{4} << 20;  // of growing memory

// Whether the machine cannot have so much memory. The kernel grants more than there is, and kills whoever then uses it.
bool IsBeyondMachine(size_t bytes) {
  if (bytes < kCheckedBytes) return false;
  struct sysinfo facts {};
  const uint64_t swap = ::sysinfo(&facts) == 0 ? uint64_t{facts.totalswap} * facts.mem_unit : 0;
  return bytes > MachineMemory() + swap;
}

Installed<MemorySource>& InstalledMemorySource() {
  static auto& installed = *new Installed<MemorySource>;
  return installed;
}

}  // namespace

void SetMemorySource(const std::weak_ptr<MemorySource>& source) { InstalledMemorySource().Set(source); }

std::shared_ptr<std::byte> NewMemory(size_t bytes, bool zeroed) {
  if (bytes >= kLargeBytes && !IsBeyondMachine(bytes)) {
    if (const std::shared_ptr<MemorySource> source = InstalledMemorySource().Get()) {
      if (std::shared_ptr<std::byte> memory = source->Allocate(bytes, zeroed)) return memory;
    }
  }
  return NewHeapMemory(bytes, zeroed);
}

GrowingMemory GrowingMemory::Of(size_t bytes) {
  GrowingMemory made;
  made.bytes_ = bytes;
  if (bytes >= kLargeBytes && !IsBeyondMachine(bytes)) {
    made.source_ = InstalledMemorySource().Get();
    if (made.source_ != nullptr) made.memory_ = made.source_->Reserve(bytes);
  }
  if (made.memory_ != nullptr) return made;
  made.source_ = nullptr;
  made.memory_ = NewHeapMemory(bytes, false);
  return made;
}

bool GrowingMemory::Reach(size_t end) {
  if (source_ == nullptr || end <= reached_) return true;
  reached_ = std::min(bytes_, std::max(end, reached_ + kStep));
  return source_->Reach(memory_.get(), reached_);
}

uint64_t MachineMemory() {
  const uint64_t pages = static_cast<uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
  const uint64_t bytes = pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  return std::min(bytes, MemoryLimit("/proc/self/cgroup", "/sys/fs/cgroup"));
}

std::shared_ptr<std::byte> NewHeapMemory(size_t bytes, bool zeroed) {
  if (IsBeyondMachine(bytes)) return nullptr;
  auto* memory = static_cast<std::byte*>(::operator new(std::max<size_t>(bytes, 1), kAlignment, std::nothrow));
  if (memory == nullptr) return nullptr;
  if (zeroed) std::memset(memory, 0, bytes);
  return {memory, [](std::byte* freed) { ::operator delete(freed, kAlignment); }};
}

}  // namespace twinkle::base

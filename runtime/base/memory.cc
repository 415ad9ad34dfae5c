#include "runtime/base/memory.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <new>

#include "runtime/base/installed.h"

namespace twinkle::base {
namespace {

constexpr std::align_val_t kAlignment{64};

Installed<MemorySource>& TheInstalled() {
  static auto& installed = *new Installed<MemorySource>;
  return installed;
}

}  // namespace

void SetMemorySource(const std::weak_ptr<MemorySource>& source) { TheInstalled().Set(source); }

std::shared_ptr<std::byte> NewMemory(size_t bytes, bool zeroed) {
  if (bytes >= kLargeBytes) {
    if (const std::shared_ptr<MemorySource> source = TheInstalled().Get()) {
      if (std::shared_ptr<std::byte> memory = source->Allocate(bytes, zeroed)) return memory;
    }
  }
  return NewHeapMemory(bytes, zeroed);
}

uint64_t MachineMemory() {
  const uint64_t pages = static_cast<uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
  uint64_t bytes = pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  for (const char* const limit : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    uint64_t allowed = 0;
    if (std::ifstream(limit) >> allowed && allowed > 0) bytes = std::min(bytes, allowed);  // "max": none
  }
  return bytes;
}

std::shared_ptr<std::byte> NewHeapMemory(size_t bytes, bool zeroed) {
  auto* memory = static_cast<std::byte*>(::operator new(std::max<size_t>(bytes, 1), kAlignment, std::nothrow));
  if (memory == nullptr) return nullptr;
  if (zeroed) std::memset(memory, 0, bytes);
  return {memory, [](std::byte* freed) { ::operator delete(freed, kAlignment); }};
}

}  // namespace twinkle::base

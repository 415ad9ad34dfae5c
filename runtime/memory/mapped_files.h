// Where a process has files mapped that hold what took too much of its memory.
#pragma once

#include <cstddef>
#include <map>

#include "runtime/base/mutex.h"

namespace twinkle::memory {

// Addresses of mapped files. The kernel takes such memory back when it is short, so what is there is sent as bytes and
// not copied to where others map it. Thread-safe.
class MappedFiles {
 public:
  // A file is mapped there from now on; mappings do not overlap, and are not empty.
  void Add(const std::byte* data, size_t bytes);
  // It is no longer: to be called before it is unmapped.
  void Remove(const std::byte* data);
  // Whether the byte is in one of them.
  bool Has(const std::byte* data) const;

 private:
  mutable base::Mutex mutex_;
  std::map<const std::byte*, size_t> sizes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::memory

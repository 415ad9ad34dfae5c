// Where this process has files mapped that hold what took too much of its memory.
#pragma once

#include <cstddef>
#include <map>

#include "runtime/base/mutex.h"

namespace twinkle::memory {

// The addresses of mapped files. The kernel takes such memory back when it is short. So its contents are sent as bytes,
// and not copied into memory that other processes map. Thread-safe.
class MappedFiles {
 public:
  // A file is mapped here from now on. Mappings are not empty, and do not overlap.
  void Add(const std::byte* data, size_t bytes);
  // The mapping ends. To be called before the file is unmapped.
  void Remove(const std::byte* data);
  // Whether the byte is in a mapped file.
  bool Has(const std::byte* data) const;

 private:
  mutable base::Mutex mutex_;
  std::map<const std::byte*, size_t> sizes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::memory

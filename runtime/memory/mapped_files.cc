#include "runtime/memory/mapped_files.h"

#include <iterator>

namespace twinkle::memory {

void MappedFiles::Add(const std::byte* data, size_t bytes) {
  base::MutexLock lock(&mutex_);
  sizes_[data] = bytes;
}

void MappedFiles::Remove(const std::byte* data) {
  base::MutexLock lock(&mutex_);
  sizes_.erase(data);
}

bool MappedFiles::Has(const std::byte* data) const {
  base::MutexLock lock(&mutex_);
  const auto next = sizes_.upper_bound(data);
  return next != sizes_.begin() && data < std::prev(next)->first + std::prev(next)->second;
}

}  // namespace twinkle::memory

// An encoded value on local disk.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "runtime/codec/codec.h"
#include "runtime/memory/mapped_files.h"

namespace twinkle::object {

// A file without a name, which goes with the last reference to it and to what was read from it, or with the process,
// however that ends. Constant once written; thread-safe.
class SpillFile : public std::enable_shared_from_this<SpillFile> {
 public:
  // Blocks for as long as the disk takes. Errors of the system: there is no such folder, no room on the disk.
  // `mapped`: is told where it is; may be null.
  static absl::StatusOr<std::shared_ptr<const SpillFile>> Write(const std::string& folder,
                                                                const codec::Encoded& encoded,
                                                                std::shared_ptr<memory::MappedFiles> mapped = nullptr);
  ~SpillFile();

  // What was written. The buffers are the file itself, mapped: memory that the kernel takes back when it is short.
  codec::Encoded Read() const;
  size_t bytes() const { return size_; }

 private:
  SpillFile(const std::byte* data, size_t size, size_t head_bytes, std::vector<size_t> buffers,
            std::shared_ptr<memory::MappedFiles> mapped);

  const std::byte* const data_;  // mapped; null when there are no bytes
  const size_t size_;
  const size_t head_bytes_;            // at the front
  const std::vector<size_t> buffers_;  // sizes; each begins at a multiple of kAlignment
  const std::shared_ptr<memory::MappedFiles> mapped_;
};

}  // namespace twinkle::object

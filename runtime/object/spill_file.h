// An encoded value on local disk.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <memory>
#include <string>

#include "runtime/codec/codec.h"

namespace twinkle::object {

// A file without a name, which goes with the last reference to it and to what was read from it, or with the process,
// however that ends. Constant once written; thread-safe.
class SpillFile : public std::enable_shared_from_this<SpillFile> {
 public:
  // Blocks for as long as the disk takes. Errors of the system: there is no such folder, no room on the disk.
  static absl::StatusOr<std::shared_ptr<const SpillFile>> Write(const std::string& folder,
                                                                const codec::Encoded& encoded);
  ~SpillFile();

  // What was written. The buffers are the file itself, mapped: memory that the kernel takes back when it is short.
  codec::Encoded Read() const;
  size_t bytes() const { return size_; }

 private:
  SpillFile(const std::byte* data, size_t size, size_t head_bytes, std::vector<size_t> buffers)
      : data_(data), size_(size), head_bytes_(head_bytes), buffers_(std::move(buffers)) {}

  const std::byte* const data_;  // mapped; null when there are no bytes
  const size_t size_;
  const size_t head_bytes_;            // at the front
  const std::vector<size_t> buffers_;  // sizes; each begins at a multiple of kAlignment
};

}  // namespace twinkle::object

#include "runtime/object/spill_file.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "runtime/base/fd.h"
#include "runtime/base/status.h"

namespace twinkle::object {
namespace {

constexpr size_t kAlignment = 64;  // for any element type and for cache lines

size_t Aligned(size_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

absl::Status ErrorAt(absl::string_view what, const std::string& folder) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " a file in ", folder));
}

absl::StatusOr<base::Fd> NamelessFile(const std::string& folder) {
  base::Fd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.valid()) return file;
  // Some file systems have no such thing.
  std::string path = absl::StrCat(folder, "/.twinkle-spill-XXXXXX");
  file = base::Fd(::mkostemp(path.data(), O_CLOEXEC));
  if (!file.valid()) return ErrorAt("cannot make", folder);
  ::unlink(path.c_str());
  return file;
}

absl::Status WriteAt(int fd, const char* data, size_t size, size_t offset, const std::string& folder) {
  while (size > 0) {
    const ssize_t written = ::pwrite(fd, data, size, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return ErrorAt("cannot write to", folder);
    data += written;
    size -= static_cast<size_t>(written);
    offset += static_cast<size_t>(written);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const SpillFile>> SpillFile::Write(const std::string& folder,
                                                                  const codec::Encoded& encoded,
                                                                  std::shared_ptr<memory::MappedFiles> told) {
  TWINKLE_ASSIGN_OR_RETURN(const base::Fd file, NamelessFile(folder));
  TWINKLE_RETURN_IF_ERROR(WriteAt(file.get(), encoded.head.data(), encoded.head.size(), 0, folder));
  size_t end = encoded.head.size();
  std::vector<size_t> sizes;
  for (const codec::Buffer& buffer : encoded.buffers) {
    const size_t begin = Aligned(end);
    TWINKLE_RETURN_IF_ERROR(
        WriteAt(file.get(), reinterpret_cast<const char*>(buffer.data), buffer.size, begin, folder));
    end = begin + buffer.size;
    sizes.push_back(buffer.size);
  }
  const void* mapped = nullptr;
  if (end > 0) {
    mapped = ::mmap(nullptr, end, PROT_READ, MAP_SHARED, file.get(), 0);
    if (mapped == MAP_FAILED) return ErrorAt("cannot map", folder);
  }
  return std::shared_ptr<const SpillFile>(new SpillFile(static_cast<const std::byte*>(mapped), end, encoded.head.size(),
                                                        std::move(sizes), std::move(told)));
}

SpillFile::SpillFile(const std::byte* data, size_t size, size_t head_bytes, std::vector<size_t> buffers,
                     std::shared_ptr<memory::MappedFiles> mapped)
    : data_(data), size_(size), head_bytes_(head_bytes), buffers_(std::move(buffers)), mapped_(std::move(mapped)) {
  if (mapped_ != nullptr && data_ != nullptr) mapped_->Add(data_, size_);
}

SpillFile::~SpillFile() {
  if (mapped_ != nullptr && data_ != nullptr) mapped_->Remove(data_);
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

codec::Encoded SpillFile::Read() const {
  codec::Encoded encoded;
  encoded.head.assign(reinterpret_cast<const char*>(data_), head_bytes_);
  size_t end = head_bytes_;
  for (size_t size : buffers_) {
    const size_t begin = Aligned(end);
    encoded.buffers.push_back({data_ + begin, size, shared_from_this()});
    end = begin + size;
  }
  return encoded;
}

}  // namespace twinkle::object

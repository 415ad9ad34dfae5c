#include "runtime/object/segment_map.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/base/status.h"
#include "runtime/rpc/fd_channel.h"

namespace twinkle::object {

// Never waits, whatever is behind it.
int OpenOf(int pid, int fd) {
  return ::open(absl::StrCat("/proc/", pid, "/fd/", fd).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

absl::StatusOr<std::shared_ptr<const MappedSegment>> MappedSegment::Open(int pid, const SegmentPlace& place) {
  const std::string path = absl::StrCat("/proc/", pid, "/fd/", place.fd);
  const rpc::Fd file(OpenOf(pid, place.fd));
  if (!file.valid()) return absl::ErrnoToStatus(errno, absl::StrCat(path, " cannot be opened"));
  struct stat facts {};
  const int seals = ::fcntl(file.get(), F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || ::fstat(file.get(), &facts) != 0 ||
      static_cast<uint64_t>(facts.st_size) != place.segment_bytes || facts.st_ino != place.inode) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is no segment"));
  }
  void* const memory = ::mmap(nullptr, place.segment_bytes, PROT_READ, MAP_SHARED | MAP_NORESERVE, file.get(), 0);
  if (memory == MAP_FAILED) return absl::ErrnoToStatus(errno, absl::StrCat(path, " cannot be mapped"));
  return std::shared_ptr<const MappedSegment>(
      new MappedSegment(static_cast<const std::byte*>(memory), place.segment_bytes));
}

MappedSegment::~MappedSegment() { ::munmap(const_cast<std::byte*>(base_), bytes_); }

absl::StatusOr<std::shared_ptr<const std::byte>> SegmentMap::At(int pid, const SegmentPlace& place, size_t bytes) {
  base::MutexLock lock(&mutex_);
  std::shared_ptr<const MappedSegment>& segment = segments_[place.segment];
  if (segment == nullptr) {
    absl::StatusOr<std::shared_ptr<const MappedSegment>> opened = MappedSegment::Open(pid, place);
    if (!opened.ok()) {
      segments_.erase(place.segment);
      return opened.status();
    }
    segment = *std::move(opened);
  }
  if (place.offset > segment->bytes() || bytes > segment->bytes() - place.offset) {
    return absl::InvalidArgumentError("a place outside its segment");
  }
  return std::shared_ptr<const std::byte>(segment, segment->base() + place.offset);
}

void SegmentMap::Forget(uint64_t segment) {
  base::MutexLock lock(&mutex_);
  segments_.erase(segment);
}

}  // namespace twinkle::object

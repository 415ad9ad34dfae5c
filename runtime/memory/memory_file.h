// Memory that processes of one machine share: files without a name, of a size that nobody can change.
#pragma once

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "runtime/base/fd.h"

namespace twinkle::memory {

// A descriptor, which the caller closes, of a memory file that a process of this library made. Negative, and errno says
// why: the process or its descriptor is not there (ENOENT), that process's files are not ours to open (EACCES), or it
// is another kind of file (EBADF), which is not opened even when a peer names it. Never waits. Thread-safe.
int OpenFileOf(int pid, int fd, bool writable = false);

// A memory file, mapped for as long as the object lives. Move-only; for one thread at a time, but for the bytes, which
// any number of threads may use.
class MemoryFile {
 public:
  // What processes other than the one that made it may do.
  enum class Others { kRead, kWrite };

  MemoryFile() = default;
  ~MemoryFile();
  MemoryFile(MemoryFile&& other) noexcept;
  MemoryFile& operator=(MemoryFile&& other) noexcept;

  // A file of that many bytes, all zero, which take memory only as they are touched. `name`, which begins with
  // "twinkle", is what /proc shows. ResourceExhausted: the kernel or a limit does not allow it.
  static absl::StatusOr<MemoryFile> Make(const char* name, size_t bytes, Others others);
  // The file that process `pid` made and has as `fd`. FailedPrecondition: it is not that file, or of another size;
  // ResourceExhausted: there is no descriptor or no room in the address space for it, as there may be later; else why
  // it cannot be opened or mapped, as NotFound.
  static absl::StatusOr<MemoryFile> Open(int pid, int fd, uint64_t inode, size_t bytes, Others others);

  // The first byte; null without a file. Of Open with kRead it may not be written: that is a signal.
  std::byte* data() const { return data_; }
  size_t size() const { return bytes_; }
  // Through which others open it. Negative: Open made this, or CloseFd was called.
  int fd() const { return fd_.get(); }
  uint64_t inode() const { return inode_; }
  // Nobody opens it any more; it stays mapped here and where it is.
  void CloseFd() { fd_.Reset(); }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
  base::Fd fd_;
  uint64_t inode_ = 0;
};

}  // namespace twinkle::memory

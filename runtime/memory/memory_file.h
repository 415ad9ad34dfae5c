// Memory files, which processes of one machine share: files without a name, of a size that nobody can change.
#pragma once

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "runtime/base/fd.h"

namespace twinkle::memory {

// Opens a memory file that a process of this library made; the caller closes the descriptor. Negative, with errno: the
// process or its descriptor is not there (ENOENT), this user may not open the process's files (EACCES), or it is
// another kind of file (EBADF), which is not opened even if a peer names it. Does not block. Thread-safe.
int OpenFileOf(int pid, int fd, bool writable = false);

// A memory file that is mapped for as long as the object exists. Move-only. For one thread at a time, except for the
// bytes, which any number of threads may use.
class MemoryFile {
 public:
  // What processes other than the file's maker may do with it.
  enum class Others { kRead, kWrite };

  MemoryFile() = default;
  ~MemoryFile();
  MemoryFile(MemoryFile&& other) noexcept;
  MemoryFile& operator=(MemoryFile&& other) noexcept;

  // Makes a file of `bytes` bytes, all zero, which take memory only when they are touched. `name` is shown in /proc and
  // must begin with "twinkle". ResourceExhausted: the kernel or a limit does not allow it.
  static absl::StatusOr<MemoryFile> Make(const char* name, size_t bytes, Others others);
  // Maps the file that process `pid` made and has open as `fd`. FailedPrecondition: it is another file, or of another
  // size; ResourceExhausted: there is no descriptor or address space for it now; other errors (NotFound, for example):
  // why it cannot be opened or mapped.
  static absl::StatusOr<MemoryFile> Open(int pid, int fd, uint64_t inode, size_t bytes, Others others);

  // The first byte; null: there is no file. After Open with kRead, writing to it is a signal.
  std::byte* data() const { return data_; }
  size_t size() const { return bytes_; }
  // The descriptor by which others open the file. Negative: this object was made by Open, or CloseFd was called.
  int fd() const { return fd_.get(); }
  uint64_t inode() const { return inode_; }
  // Closes the descriptor, so that no further process opens the file. Existing mappings stay.
  void CloseFd() { fd_.Reset(); }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
  base::Fd fd_;
  uint64_t inode_ = 0;
};

}  // namespace twinkle::memory

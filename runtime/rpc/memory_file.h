// Memory that processes of one machine share: files without a name, of a size that nobody can change.
#pragma once

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "runtime/base/fd.h"

namespace twinkle::rpc {

// Opens a memory file that another process of this library made; negative (and errno) when that may not be, or it is
// another kind of file (EBADF): what a peer names is not opened then. Never waits.
int OpenFileOf(int pid, int fd, bool writable = false);

// Mapped for as long as the object lives; move-only.
class MemoryFile {
 public:
  // What processes other than the one that made it may do.
  enum class Others { kRead, kWrite };

  MemoryFile() = default;
  ~MemoryFile();
  MemoryFile(MemoryFile&& other) noexcept;
  MemoryFile& operator=(MemoryFile&& other) noexcept;

  // Zeros, which take memory only as they are touched. ResourceExhausted: the kernel or a limit does not allow it.
  static absl::StatusOr<MemoryFile> Make(const char* name, size_t bytes, Others others);
  // One that process `pid` made. FailedPrecondition: it is not such a file, or of another size; ResourceExhausted:
  // there is no descriptor or no room in the address space for it; else why it cannot be opened or mapped.
  static absl::StatusOr<MemoryFile> Open(int pid, int fd, uint64_t inode, size_t bytes, Others others);

  // Null without a file. Not to be written with Open and kRead.
  std::byte* data() const { return data_; }
  size_t size() const { return bytes_; }
  // Of Make, until CloseFd: through which others open it. Then it stays mapped where it is.
  int fd() const { return fd_.get(); }
  uint64_t inode() const { return inode_; }
  void CloseFd() { fd_.Reset(); }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
  base::Fd fd_;
  uint64_t inode_ = 0;
};

}  // namespace twinkle::rpc

// Files that people name, which may be anything.
#pragma once

#include <string>

namespace twinkle::base {

struct OpenedFile {
  int fd = -1;    // the caller's own, closed on exec; negative: there is none
  int error = 0;  // then why, as errno has it; 0: it is no regular file
};

// Opens the regular file at that path, for `how`: O_RDONLY, or O_PATH, for which it need not be readable. Waits for
// nobody at the other end of a FIFO, and makes no terminal this process's own. Blocks as the storage does.
OpenedFile OpenRegular(const std::string& path, int how);

}  // namespace twinkle::base

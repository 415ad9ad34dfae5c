// Opens files that people name, which may turn out to be anything.
#pragma once

#include <string>

#include "runtime/base/fd.h"

namespace twinkle::base {

// The result of OpenRegular.
struct OpenedFile {
  Fd fd;          // closed on exec
  int error = 0;  // errno, if there is no descriptor; 0: it is no regular file
};

// Opens the regular file at a path, for `how`: O_RDONLY, or O_PATH, for which it need not be readable. Does not wait
// for the other end of a FIFO, and does not make a terminal this process's own. Blocks as the storage does.
OpenedFile OpenRegular(const std::string& path, int how);

}  // namespace twinkle::base

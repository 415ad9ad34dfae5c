#include "runtime/base/open_regular.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace twinkle::base {

OpenedFile OpenRegular(const std::string& path, int how) {
  Fd fd(::open(path.c_str(), how | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat facts {};
  if (!fd.valid() || ::fstat(fd.get(), &facts) != 0) return {Fd(), errno};
  if (!S_ISREG(facts.st_mode)) return {Fd(), 0};
  return {std::move(fd), 0};
}

}  // namespace twinkle::base

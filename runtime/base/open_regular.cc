#include "runtime/base/open_regular.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace twinkle::base {

OpenedFile OpenRegular(const std::string& path, int how) {
  const int fd = ::open(path.c_str(), how | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat facts {};
  if (fd < 0) return {-1, errno};
  const bool known = ::fstat(fd, &facts) == 0;
  if (known && S_ISREG(facts.st_mode)) return {fd, 0};
  const int error = errno;
  ::close(fd);
  if (known) return {-1, 0};
  return {-1, error};
}

}  // namespace twinkle::base

#include "runtime/base/descriptor_table.h"

#include <fcntl.h>
#include <unistd.h>

namespace twinkle::base {
namespace {

constexpr int kLast = 255;

}  // namespace

void WidenDescriptorTable() {
  const int any = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (any < 0) return;
  const int last = ::fcntl(any, F_DUPFD_CLOEXEC, kLast);  // fails where the limit is lower: then there is no need
  if (last >= 0) ::close(last);
  ::close(any);
}

}  // namespace twinkle::base

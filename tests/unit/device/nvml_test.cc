// What is said of devices on a machine without NVIDIA's driver, and of one with something else in its place.
#include "runtime/device/nvml.h"

#include "tests/support/catch.h"

namespace twinkle::device {
namespace {

TEST_CASE("a machine without the driver has no devices") {
  const NvmlAnswer answer = AskNvml("libtwinkle-no-such-library.so.1");
  CHECK_FALSE(answer.library);
  CHECK(answer.devices == 0);
}

TEST_CASE("a library that is not NVML is told from one that is not there") {
  const NvmlAnswer answer = AskNvml("libc.so.6");
  CHECK(answer.library);
  CHECK(answer.init < 0);
  CHECK(answer.devices == 0);
}

}  // namespace
}  // namespace twinkle::device

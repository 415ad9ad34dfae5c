#include "runtime/base/ids.h"

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

TEST_CASE("a process's id says its job, its place and its incarnation, whatever these are") {
  for (const uint64_t job : {uint64_t{0}, uint64_t{1}, uint64_t{0xffffffff}}) {
    for (const uint32_t place : {0U, 1U, (1U << kPlaceBits) - 1}) {
      for (const uint32_t incarnation : {0U, 1U, (1U << kIncarnationBits) - 1}) {
        const ProcessId id = ProcessIdOf(job, place, incarnation);
        CHECK(JobOf(id) == job);
        CHECK(PlaceOf(id) == place);
        CHECK(IncarnationOf(id) == incarnation);
      }
    }
  }
}

TEST_CASE("the program is a job's first place; its ranks follow, in their first incarnation") {
  CHECK(ProcessIdOf(7, 0) == uint64_t{7} << kProcessBits);
  CHECK(ProcessIdOf(7, 3) == (uint64_t{7} << kProcessBits) + 3);
  CHECK(kProgram == ProcessIdOf(0, 0));
}

}  // namespace
}  // namespace twinkle::base

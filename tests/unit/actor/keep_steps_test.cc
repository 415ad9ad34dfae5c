// What Put was given becomes an object on the service queue: who waits for that hears of it, and where there is nothing
// to wait for nobody is woken.
#include <vector>

#include "runtime/base/event.h"
#include "tests/support/catch.h"
#include "tests/support/stepped_job.h"

namespace twinkle::actor {
namespace {

TEST_CASE("the end waits for what Put was given before, and for nothing else") {
  tests::SteppedJob job({tests::CpuGroup("group", 1)});
  CHECK(job.program().WhenKept() == nullptr);
  const auto put = Put(std::vector<double>(100'000, 1));
  const auto kept = job.program().WhenKept();
  REQUIRE(kept != nullptr);
  CHECK_FALSE(kept->IsSet());
  job.Drain("program");
  CHECK(kept->IsSet());
  CHECK(job.program().WhenKept() == nullptr);
}

}  // namespace
}  // namespace twinkle::actor

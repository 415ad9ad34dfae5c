#include "runtime/memory/shared_memory.h"

#include <unistd.h>

#include "runtime/memory/segment_pool.h"
#include "tests/support/catch.h"
#include "tests/support/fake_shared_memory.h"
#include "tests/support/shared_memory_conformance.h"

namespace twinkle::memory {
namespace {

// Each process of the machine is this one, which can read itself.
class SegmentFixture final : public SharedMemoryFixture {
 public:
  Owner Start(size_t capacity) override {
    return {std::make_shared<SegmentPool>(
                SegmentOptions{.segment_bytes = size_t{1} << 20, .capacity = 2 * capacity - 1, .keep_idle = keep_idle}),
            ::getpid()};
  }

  absl::Duration keep_idle = absl::Milliseconds(1);
};

class FakeFixture final : public SharedMemoryFixture {
 public:
  Owner Start(size_t capacity) override {
    const int pid = ++last_pid_;
    return {machine_.Start(pid, capacity), pid};
  }

 private:
  FakeMachine machine_;
  int last_pid_ = 0;
};

TEST_CASE("a pool of segments does what every kind of shared memory must (SH1-SH4)") {
  for (const SharedMemoryCheck& check : SharedMemoryChecks()) {
    DYNAMIC_SECTION(check.name) {
      SegmentFixture fixture;
      check.run(fixture);
    }
  }
}

TEST_CASE("so does a pool that keeps nothing") {
  for (const SharedMemoryCheck& check : SharedMemoryChecks()) {
    DYNAMIC_SECTION(check.name) {
      SegmentFixture fixture;
      fixture.keep_idle = absl::ZeroDuration();
      check.run(fixture);
    }
  }
}

TEST_CASE("the memory that tests share does what every kind must (SH1-SH4)") {
  for (const SharedMemoryCheck& check : SharedMemoryChecks()) {
    DYNAMIC_SECTION(check.name) {
      FakeFixture fixture;
      check.run(fixture);
    }
  }
}

}  // namespace
}  // namespace twinkle::memory

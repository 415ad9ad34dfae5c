#include "runtime/rpc/near/shared_memory_transport.h"

#include <memory>

#include "runtime/memory/segment_pool.h"
#include "runtime/rpc/in_memory_network.h"
#include "tests/support/catch.h"
#include "tests/support/transport_conformance.h"

namespace twinkle::rpc {
namespace {

// Over memory: the process below all of them is this one, which can read itself.
class SharedMemoryFixture final : public TransportFixture {
 public:
  std::unique_ptr<Transport> Join(ProcessId id) override {
    return std::make_unique<SharedMemoryTransport>(
        SharedMemoryTransport::Options{.self = id, .buffers = {.memories = {std::make_shared<memory::SegmentPool>()}}},
        executor_.get(), network_.Join(id));
  }
  void Kill(ProcessId id) override { network_.Kill(id, absl::UnavailableError("it was killed")); }
  bool HoldData(ProcessId from, ProcessId to) override {
    network_.Hold(from, to, Stream::kData);
    return true;
  }
  void ReleaseData(ProcessId from, ProcessId to) override { network_.Release(from, to, Stream::kData); }

 private:
  const std::unique_ptr<base::Executor> executor_ = base::NewThreadExecutor();
  InMemoryNetwork network_;
};

TEST_CASE("shared memory over a transport does what every transport must (T1-T6)") {
  for (const TransportCheck& check : TransportChecks()) {
    DYNAMIC_SECTION(check.name) {
      SharedMemoryFixture fixture;
      check.run(fixture);
    }
  }
}

}  // namespace
}  // namespace twinkle::rpc

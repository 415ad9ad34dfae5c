// The transports of a process on a cluster, one over the other, as they are put together there.
#include <memory>
#include <optional>
#include <utility>

#include "runtime/memory/segment_pool.h"
#include "runtime/rpc/near/near_transport.h"
#include "tests/integration/rpc/grpc_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/transport_conformance.h"

namespace twinkle::rpc {
namespace {

class StackFixture final : public TransportFixture {
 public:
  StackFixture(Way way, bool is_near) : below_(way), is_near_(is_near) {}

  std::unique_ptr<Transport> Join(ProcessId id) override {
    return std::make_unique<NearTransport>(
        NearTransport::Options{.self = id,
                               .is_near = [near = is_near_](ProcessId) { return near; },
                               .buffers = {.memories = {std::make_shared<memory::SegmentPool>()}}},
        executor_.get(), below_.Join(id));
  }
  void Kill(ProcessId id) override { below_.Kill(id); }
  bool HoldData(ProcessId from, ProcessId to) override { return below_.HoldData(from, to); }
  void ReleaseData(ProcessId from, ProcessId to) override { below_.ReleaseData(from, to); }
  void Cut(ProcessId a, ProcessId b) override { below_.Cut(a, b); }

 private:
  const std::unique_ptr<base::Executor> executor_ = base::NewThreadExecutor();
  GrpcFixture below_;
  const bool is_near_;
};

void RunStackChecks(Way way, bool is_near) {
  for (const TransportCheck& check : TransportChecks()) {
    DYNAMIC_SECTION(check.name) {
      StackFixture fixture(way, is_near);
      check.run(fixture);
    }
  }
}
TEST_CASE("neighbours over Unix sockets do what every transport must (TR1-TR6)") { RunStackChecks(Way::kUnix, true); }
TEST_CASE("neighbours over wires that break do what every transport must (TR1-TR6)") {
  RunStackChecks(Way::kWires, true);
}
TEST_CASE("processes of two machines do what every transport must (TR1-TR6)") { RunStackChecks(Way::kWires, false); }

}  // namespace
}  // namespace twinkle::rpc

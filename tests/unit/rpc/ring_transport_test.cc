#include "runtime/rpc/near/ring_transport.h"

#include <memory>

#include "runtime/rpc/in_memory_network.h"
#include "tests/support/catch.h"
#include "tests/support/transport_conformance.h"

namespace twinkle::rpc {
namespace {

// Over memory: the process below all of them is this one, which can map its own files.
class RingFixture final : public TransportFixture {
 public:
  explicit RingFixture(absl::Duration patience) : patience_(patience) {}
  std::unique_ptr<Transport> Join(ProcessId id) override {
    return std::make_unique<RingTransport>(RingTransport::Options{.self = id, .polling = {.patience = patience_}},
                                           network_.Join(id));
  }
  void Kill(ProcessId id) override { network_.Kill(id, absl::UnavailableError("it was killed")); }
  // Below: the word that a stream goes on in its ring is held up, too, so it does not.
  bool HoldData(ProcessId from, ProcessId to) override {
    network_.Hold(from, to, Stream::kData);
    return true;
  }
  void ReleaseData(ProcessId from, ProcessId to) override { network_.Release(from, to, Stream::kData); }

 private:
  const absl::Duration patience_;
  InMemoryNetwork network_;
};

TEST_CASE("rings over a transport do what every transport must (T1-T6)") {
  for (const absl::Duration patience : {absl::ZeroDuration(), absl::Milliseconds(1)}) {
    for (const TransportCheck& check : TransportChecks()) {
      DYNAMIC_SECTION(check.name << ", patience " << patience) {
        RingFixture fixture(patience);
        check.run(fixture);
      }
    }
  }
}

}  // namespace
}  // namespace twinkle::rpc

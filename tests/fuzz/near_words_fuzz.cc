// What two neighbours say to each other beside their frames.
#include "runtime/base/stepped_executor.h"
#include "runtime/memory/segment_pool.h"
#include "runtime/rpc/in_memory_network.h"
#include "runtime/rpc/near/near_transport.h"
#include "tests/fuzz/target.h"
#include "tests/support/joined.h"

namespace twinkle {
namespace {

struct Ignored final : rpc::Receiver {
  void OnFrame(rpc::ProcessId, rpc::Stream, rpc::Frame) override {}
  void OnLost(rpc::ProcessId, const absl::Status&) override {}
};

std::string WithWord(const rpc::NearWord& word) {
  std::string head;
  rpc::AppendWord(word, &head);
  return head;
}

}  // namespace

std::vector<std::string> fuzz::Seeds() {
  rpc::NearWord shared;
  shared.shared.push_back({.index = 0,
                           .place = memory::SegmentPlace{.segment = 1, .fd = 3, .segment_bytes = 4096},
                           .bytes = 8,
                           .lease = 1});
  rpc::NearWord told;
  told.released = {1, 2, 3};
  told.unmapped = {{0, 1}, {1, 1}};
  told.hello = rpc::Hello{1, 3, "content", rpc::RingOffer{}};
  told.answer = rpc::HelloAnswer{1, true, true};
  return {WithWord(shared), WithWord(told), std::string(4, '\0')};
}

}  // namespace twinkle

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace twinkle;  // NOLINT: a function of C
  base::SteppedExecutor executor;
  rpc::InMemoryNetwork network;
  Ignored ignored;
  const auto queue = executor.NewQueue("service");
  rpc::NearTransport transport(
      {.self = 1, .polling = std::nullopt, .buffers = {.memories = {std::make_shared<memory::SegmentPool>()}}},
      &executor, network.Join(1));
  transport.Start(&ignored, queue.get());
  const auto liar_queue = executor.NewQueue("liar");
  const auto liar = rpc::JoinStarted(network, 2, &ignored, liar_queue.get());
  liar->Send(1, rpc::Stream::kData, {std::string(reinterpret_cast<const char*>(data), size), {}}).IgnoreError();
  executor.RunAll();
  return 0;
}

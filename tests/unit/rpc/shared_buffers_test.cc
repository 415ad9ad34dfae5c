#include "runtime/rpc/near/shared_buffers.h"

#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/rpc/near/probe.h"
#include "tests/support/catch.h"
#include "tests/support/fake_shared_memory.h"
#include "tests/support/limited_executor.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kManyBytes = 50'000;

// One process's side: what it shares, and what it gives back.
struct SharingSide {
  SharingSide(base::Executor* executor, std::shared_ptr<memory::SharedMemory> memory)
      : releases(std::make_shared<Releases>(executor, "release")),
        buffers({.memories = {std::move(memory)}}, releases, traffic) {
    releases->Begin([this](ProcessId peer, const NearWord& word) { told.emplace_back(peer, word); });
  }
  ~SharingSide() {
    releases->Close();
    buffers.Close();
  }

  const std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
  std::vector<std::pair<ProcessId, NearWord>> told;
  const std::shared_ptr<Releases> releases;
  SharedBuffers buffers;
};

struct SharingPair {
  memory::FakeMachine machine;
  tests::LimitedExecutor executor{2};
  const std::shared_ptr<memory::FakeSharedMemory> memory = machine.Start(::getpid());
  SharingSide owner{&executor, memory};
  SharingSide reader{&executor, machine.Start(::getpid())};
  const PeerMemory mapped{{memory}, ::getpid()};

  Frame Resolved(const std::vector<SharedBuffer>& shared, std::vector<uint64_t>* unmapped) {
    Frame frame;
    REQUIRE(reader.buffers.Resolve(1, mapped, shared, &frame, unmapped).ok());
    return frame;
  }
};

codec::Buffer BufferIn(const std::shared_ptr<std::string>& text) {
  return {reinterpret_cast<const std::byte*>(text->data()), text->size(), text};
}

std::string TextOfBuffer(const codec::Buffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.data), buffer.size};
}

TEST_CASE("what is in no shared memory is copied once for all peers, and given back by each (SB1, SB2)") {
  SharingPair pair;
  auto text = std::make_shared<std::string>(kManyBytes, 'y');
  std::vector<Frame> read;
  std::vector<uint64_t> unmapped;
  for (const ProcessId to : {2, 3}) {
    const auto small = std::make_shared<std::string>("small");
    Frame frame{"head", {BufferIn(small), BufferIn(text)}};
    const std::vector<SharedBuffer> shared = pair.owner.buffers.Share(to, &frame);
    REQUIRE(shared.size() == 1);
    CHECK(shared[0].index == 1);
    CHECK(frame.buffers.size() == 1);  // the small one travels
    REQUIRE(pair.reader.buffers.Resolve(1, pair.mapped, shared, &frame, &unmapped).ok());
    REQUIRE(frame.buffers.size() == 2);
    CHECK(TextOfBuffer(frame.buffers[0]) == "small");
    CHECK(TextOfBuffer(frame.buffers[1]) == *text);
    read.push_back(std::move(frame));
  }
  CHECK(pair.owner.traffic->copied_to_share == kManyBytes);
  CHECK(pair.owner.buffers.lease_count() == 2);
  CHECK(unmapped.empty());
  read.clear();
  pair.executor.stepped.RunAll();
  REQUIRE(pair.reader.told.size() == 1);  // both go together
  const std::vector<uint64_t> released = pair.reader.told[0].second.released;
  CHECK(released.size() == 2);
  pair.owner.buffers.Release(2, released);  // one of them is another's
  CHECK(pair.owner.buffers.lease_count() == 1);
  pair.owner.buffers.Release(3, released);
  CHECK(pair.owner.buffers.lease_count() == 0);
}

TEST_CASE("a frame that was not taken leaves no lease") {
  SharingPair pair;
  Frame frame{"head", {BufferIn(std::make_shared<std::string>(kManyBytes, 'y'))}};
  const std::vector<SharedBuffer> shared = pair.owner.buffers.Share(2, &frame);
  CHECK(pair.owner.buffers.lease_count() == 1);
  pair.owner.buffers.Unshare(2, shared);
  CHECK(pair.owner.buffers.lease_count() == 0);
}

TEST_CASE("what cannot be mapped now is missing, and its lease goes back; what makes no sense is refused (SB4)") {
  SharingPair pair;
  const auto share = [&] {
    Frame frame{"head", {BufferIn(std::make_shared<std::string>(kManyBytes, 'y'))}};
    return pair.owner.buffers.Share(2, &frame);
  };
  std::vector<SharedBuffer> shared = share();
  std::vector<uint64_t> unmapped;
  SECTION("for want of room") { pair.machine.RefuseMapping(absl::ResourceExhaustedError("no room")); }
  SECTION("for want of a thread that would give it back") { pair.executor.most = 0; }
  const Frame frame = pair.Resolved(shared, &unmapped);
  CHECK(absl::IsResourceExhausted(codec::CheckThere(frame.buffers.at(0))));
  CHECK(unmapped == std::vector<uint64_t>{shared[0].lease});
  CHECK(pair.machine.mapped_count() == 0);

  pair.executor.most = 2;
  pair.machine.RefuseMapping(absl::FailedPreconditionError("another file"));
  Frame other;
  CHECK(absl::IsFailedPrecondition(pair.reader.buffers.Resolve(1, pair.mapped, shared, &other, &unmapped)));
  shared[0].index = 1;  // there is no buffer before it
  CHECK(absl::IsInvalidArgument(pair.reader.buffers.Resolve(1, pair.mapped, shared, &other, &unmapped)));
}

TEST_CASE("a process's memory is read from here if its probe has in it what it says") {
  SharingPair pair;
  const Probe probe;
  REQUIRE(probe.there());
  Hello hello{::getpid(), probe.fd(), probe.nonce(), std::nullopt};
  CHECK(pair.reader.buffers.MemoryOf(hello).ok());
  hello.nonce.back() ^= 1;
  CHECK(absl::IsFailedPrecondition(pair.reader.buffers.MemoryOf(hello).status()));
  hello.nonce.clear();
  CHECK(absl::IsInvalidArgument(pair.reader.buffers.MemoryOf(hello).status()));
  hello.nonce = probe.nonce();
  hello.probe_fd = 1 << 20;
  CHECK_FALSE(pair.reader.buffers.MemoryOf(hello).ok());
  hello.probe_fd = STDERR_FILENO;  // no probe
  CHECK_FALSE(pair.reader.buffers.MemoryOf(hello).ok());
}

}  // namespace
}  // namespace twinkle::rpc

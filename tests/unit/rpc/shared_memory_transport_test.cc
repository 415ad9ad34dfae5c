#include "runtime/rpc/near/shared_memory_transport.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <twinkle/tensor.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/stepped_executor.h"
#include "runtime/memory/segment_pool.h"
#include "runtime/object/spill_file.h"
#include "runtime/rpc/in_memory_network.h"
#include "tests/support/catch.h"
#include "tests/support/fake_shared_memory.h"
#include "tests/support/joined.h"
#include "tests/support/limited_executor.h"
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

// ---- what only this one has --------------------------------------------------------------------
struct Kept final : Receiver {
  void OnFrame(ProcessId, Stream, Frame frame) override { frames.push_back(std::move(frame)); }
  void OnLost(ProcessId, const absl::Status& status) override { lost.push_back(status); }
  std::vector<Frame> frames;
  std::vector<absl::Status> lost;
};

template <class Memory>
struct SharerWith {
  SharerWith(ProcessId id, base::Executor* executor, InMemoryNetwork* network, std::shared_ptr<Memory> memory,
             std::shared_ptr<const memory::MappedFiles> files = nullptr)
      : pool(std::move(memory)),
        queue(executor->NewQueue("service." + std::to_string(id))),
        joined(network->Join(id)),
        below(joined.get()),
        transport(
            SharedMemoryTransport::Options{.self = id, .buffers = {.memories = {pool}, .files = std::move(files)}},
            executor, std::move(joined)) {
    transport.Start(&kept, queue.get());
  }
  const std::shared_ptr<Memory> pool;
  Kept kept;
  const std::unique_ptr<base::TaskQueue> queue;
  std::unique_ptr<Transport> joined;  // until the other one has it
  Transport* const below;
  SharedMemoryTransport transport;
};

struct Sharer : SharerWith<memory::SegmentPool> {
  Sharer(ProcessId id, base::Executor* executor, InMemoryNetwork* network, memory::SegmentOptions segments = {},
         std::shared_ptr<const memory::MappedFiles> files = nullptr)
      : SharerWith(id, executor, network, std::make_shared<memory::SegmentPool>(segments), std::move(files)) {}
};

struct Pair {
  base::SteppedExecutor executor;
  InMemoryNetwork network;
  Sharer a{1, &executor, &network};
  Sharer b{2, &executor, &network};

  void Run() { executor.RunAll(); }
  // They know of each other what they can read.
  void Meet() {
    CHECK(a.transport.Send(2, Stream::kData, Frame{"hello", {}}).ok());
    Run();
    CHECK(b.transport.Send(1, Stream::kData, Frame{"hello", {}}).ok());
    Run();
    a.kept.frames.clear();
    b.kept.frames.clear();
  }
};

codec::Buffer LentBuffer(const std::shared_ptr<std::byte>& memory, size_t bytes) {
  return {memory.get(), bytes, memory};
}

constexpr size_t kLarge = 100'000;

TEST_CASE("a buffer in a segment is not copied; what it holds stays until the reader lets go (SB1)") {
  Pair pair;
  pair.Meet();
  std::shared_ptr<std::byte> block = pair.a.pool->Allocate(kLarge, false);
  std::memset(block.get(), 5, kLarge);
  const std::string small(100, 'x');
  const codec::Buffer travelling{reinterpret_cast<const std::byte*>(small.data()), small.size(), nullptr};
  REQUIRE(
      pair.a.transport.Send(2, Stream::kData, Frame{"head", {travelling, LentBuffer(block, kLarge), travelling}}).ok());
  const std::weak_ptr<std::byte> watched = block;
  block.reset();
  pair.Run();
  REQUIRE(pair.b.kept.frames.size() == 1);
  Frame frame = std::move(pair.b.kept.frames[0]);
  pair.b.kept.frames.clear();
  CHECK(frame.head == "head");
  REQUIRE(frame.buffers.size() == 3);
  CHECK(std::memcmp(frame.buffers[0].data, small.data(), small.size()) == 0);
  REQUIRE(frame.buffers[1].size == kLarge);
  CHECK(frame.buffers[1].data != watched.lock().get());  // mapped once more
  CHECK(frame.buffers[1].data[kLarge - 1] == std::byte{5});
  CHECK(pair.a.transport.traffic().copied_to_share == 0);
  CHECK(pair.a.transport.traffic().shared.sent == kLarge);
  CHECK(pair.a.transport.lease_count() == 1);
  CHECK_FALSE(watched.expired());
  frame.buffers.clear();
  pair.Run();
  CHECK(watched.expired());
  CHECK(pair.a.transport.lease_count() == 0);
  CHECK(pair.a.pool->bytes_used() == 0);
}

TEST_CASE("what is not in a segment is copied into one, once for all peers") {
  Pair pair;
  Sharer c(3, &pair.executor, &pair.network);
  pair.Meet();
  CHECK(pair.a.transport.Send(3, Stream::kData, Frame{"hello", {}}).ok());
  pair.Run();
  c.kept.frames.clear();
  const auto text = std::make_shared<std::string>(kLarge, 'y');
  const codec::Buffer buffer{reinterpret_cast<const std::byte*>(text->data()), text->size(), text};
  for (ProcessId to : {2, 3}) REQUIRE(pair.a.transport.Send(to, Stream::kData, Frame{"head", {buffer}}).ok());
  pair.Run();
  for (Sharer* member : {&pair.b, &c}) {
    REQUIRE(member->kept.frames.size() == 1);
    CHECK(std::memcmp(member->kept.frames[0].buffers.at(0).data, text->data(), kLarge) == 0);
  }
  CHECK(pair.a.transport.traffic().copied_to_share == kLarge);
  CHECK(pair.a.transport.traffic().shared.sent == 2 * kLarge);
  pair.b.kept.frames.clear();
  c.kept.frames.clear();
  pair.Run();
  CHECK(pair.a.pool->bytes_used() == 0);
}

TEST_CASE("a value on disk travels: it takes no memory of its owner's") {
  base::SteppedExecutor executor;
  InMemoryNetwork network;
  const auto files = std::make_shared<memory::MappedFiles>();
  Sharer a(1, &executor, &network, {}, files);
  Sharer b(2, &executor, &network);
  for (const auto& [from, to] : {std::pair(&a, 2), std::pair(&b, 1)}) {  // they know what they can read
    CHECK(from->transport.Send(static_cast<ProcessId>(to), Stream::kData, Frame{"hello", {}}).ok());
    executor.RunAll();
  }
  b.kept.frames.clear();
  const std::string text(kLarge, 'y');
  const auto* const data = reinterpret_cast<const std::byte*>(text.data());
  auto file = *object::SpillFile::Write("/var/tmp", {"head", {{data, kLarge, nullptr}}}, files);
  const codec::Buffer buffer = file->Read().buffers.at(0);
  file = nullptr;
  CHECK(files->Has(buffer.data));
  CHECK(files->Has(buffer.data + kLarge - 1));
  CHECK_FALSE(files->Has(data));
  CHECK(a.transport.Send(2, Stream::kData, Frame{"head", {buffer}}).ok());
  executor.RunAll();
  REQUIRE(b.kept.frames.size() == 1);
  CHECK(std::memcmp(b.kept.frames[0].buffers.at(0).data, text.data(), kLarge) == 0);
  CHECK(a.pool->bytes_touched() == 0);
  CHECK(a.transport.traffic().copied_to_share == 0);
}

TEST_CASE("a copy that one peer keeps is not what another gets once the original was overwritten (SB3)") {
  Pair pair;
  Sharer c(3, &pair.executor, &pair.network);
  pair.Meet();
  CHECK(pair.a.transport.Send(3, Stream::kData, Frame{"hello", {}}).ok());
  pair.Run();
  c.kept.frames.clear();
  Tensor weights = *Tensor::FromVector(std::vector<uint8_t>(kLarge, 1));
  const auto send = [&](ProcessId to) {
    REQUIRE(pair.a.transport.Send(to, Stream::kData, Frame{"head", {{weights.raw(), kLarge, weights.owner()}}}).ok());
    pair.Run();
  };
  send(2);
  weights.mutable_data<uint8_t>()->front() = 2;  // nobody else of this process holds it
  send(3);
  CHECK(pair.b.kept.frames.at(0).buffers.at(0).data[0] == std::byte{1});
  CHECK(c.kept.frames.at(0).buffers.at(0).data[0] == std::byte{2});
  pair.b.kept.frames.clear();
  c.kept.frames.clear();
  pair.Run();
  CHECK(pair.a.pool->bytes_used() == 0);
}

TEST_CASE("when there is no room in segments the bytes travel") {
  base::SteppedExecutor executor;
  InMemoryNetwork network;
  Sharer a(1, &executor, &network, {.capacity = kLarge / 2});
  Sharer b(2, &executor, &network);
  for (int i = 0; i < 2; ++i) {
    const auto text = std::make_shared<std::string>(kLarge, 'y');
    const codec::Buffer buffer{reinterpret_cast<const std::byte*>(text->data()), text->size(), text};
    REQUIRE(a.transport.Send(2, Stream::kData, Frame{"head", {buffer}}).ok());
    executor.RunAll();
    REQUIRE(b.kept.frames.size() == 1);
    REQUIRE(b.kept.frames[0].buffers.at(0).size == kLarge);
    CHECK(std::memcmp(b.kept.frames[0].buffers[0].data, text->data(), kLarge) == 0);
    b.kept.frames.clear();
  }
  CHECK(a.transport.traffic().shared.sent == 0);
  CHECK(a.transport.lease_count() == 0);
}

TEST_CASE("before the peer has said that it can read them the bytes travel") {
  Pair pair;
  const auto text = std::make_shared<std::string>(kLarge, 'y');
  const codec::Buffer buffer{reinterpret_cast<const std::byte*>(text->data()), text->size(), text};
  REQUIRE(pair.a.transport.Send(2, Stream::kData, Frame{"head", {buffer}}).ok());
  pair.Run();
  REQUIRE(pair.b.kept.frames.size() == 1);
  CHECK(pair.b.kept.frames[0].buffers.at(0).size == kLarge);
  CHECK(pair.a.transport.traffic().shared.sent == 0);
}

TEST_CASE("what a peer had is free once its process has ended, not when only the connection broke (SB1)") {
  Pair pair;
  pair.Meet();
  REQUIRE(
      pair.a.transport.Send(2, Stream::kData, Frame{"head", {LentBuffer(pair.a.pool->Allocate(kLarge, false), kLarge)}})
          .ok());
  pair.network.Kill(2, absl::UnavailableError("it was killed"));
  pair.Run();
  REQUIRE(pair.a.kept.lost.size() == 1);
  CHECK(pair.a.pool->bytes_used() > 0);  // the process with that pid, this one, is still there
}

TEST_CASE("after Close what others map stays as it is (SB1)") {
  Pair pair;
  pair.Meet();
  std::shared_ptr<std::byte> block = pair.a.pool->Allocate(kLarge, false);
  std::memset(block.get(), 5, kLarge);
  const std::byte* const where = block.get();
  REQUIRE(pair.a.transport.Send(2, Stream::kData, Frame{"head", {LentBuffer(block, kLarge)}}).ok());
  block.reset();
  pair.Run();
  REQUIRE(pair.b.kept.frames.size() == 1);
  pair.a.transport.Close();
  CHECK(pair.a.pool->Allocate(kLarge, false).get() != where);
  CHECK(pair.b.kept.frames[0].buffers.at(0).data[0] == std::byte{5});
}

TEST_CASE("a peer that cannot read what it is sent says so, and counts as lost on both sides, in all layers (M5)") {
  Pair pair;
  pair.Meet();
  // The segment's descriptor is another file's when it is opened.
  std::shared_ptr<std::byte> block = pair.a.pool->Allocate(kLarge, false);
  const int fd = std::get<memory::SegmentPlace>(*pair.a.pool->Find(block.get(), 1)).fd;
  const int other = ::memfd_create("another", MFD_CLOEXEC);
  const int kept = ::dup(fd);
  REQUIRE(::dup2(other, fd) == fd);
  REQUIRE(pair.a.transport.Send(2, Stream::kData, Frame{"head", {LentBuffer(block, kLarge)}}).ok());
  REQUIRE(pair.a.transport.Send(2, Stream::kData, Frame{"what follows is not taken for what is missing", {}}).ok());
  pair.Run();
  REQUIRE(::dup2(kept, fd) == fd);
  ::close(kept);
  ::close(other);
  CHECK(pair.b.kept.frames.empty());
  REQUIRE(pair.b.kept.lost.size() == 1);
  REQUIRE(pair.a.kept.lost.size() == 1);
  CHECK(pair.a.kept.lost[0].message().find("it has given up this process: what it sends cannot be read") !=
        std::string::npos);
  CHECK(absl::IsUnavailable(pair.a.transport.Send(2, Stream::kData, Frame{"more", {}})));
  CHECK(absl::IsUnavailable(pair.a.below->Send(2, Stream::kData, Frame{"more", {}})));
  CHECK(absl::IsUnavailable(pair.b.below->Send(1, Stream::kData, Frame{"more", {}})));
}

// ---- over any kind of memory
struct FakePair {
  FakePair() {
    for (auto* from : {&a, &b}) {
      const ProcessId to = from == &a ? 2 : 1;
      CHECK(from->transport.Send(to, Stream::kData, Frame{"hello", {}}).ok());
      executor.RunAll();
    }
    b.kept.frames.clear();
  }
  // From a to b.
  void Send(const codec::Buffer& buffer) {
    REQUIRE(a.transport.Send(2, Stream::kData, Frame{"head", {buffer}}).ok());
    executor.RunAll();
  }

  memory::FakeMachine machine;
  base::SteppedExecutor executor;
  InMemoryNetwork network;
  SharerWith<memory::FakeSharedMemory> a{1, &executor, &network, machine.Start(::getpid())};
  SharerWith<memory::FakeSharedMemory> b{2, &executor, &network, machine.Start(::getpid())};
};

TEST_CASE("a reader keeps a chunk mapped until it is told that its owner has no such chunk any more") {
  FakePair pair;
  const auto text = std::make_shared<std::string>(kLarge, 'y');
  pair.Send({reinterpret_cast<const std::byte*>(text->data()), kLarge, text});
  REQUIRE(pair.b.kept.frames.size() == 1);
  CHECK(std::memcmp(pair.b.kept.frames[0].buffers.at(0).data, text->data(), kLarge) == 0);
  CHECK(pair.a.transport.traffic().copied_to_share == kLarge);
  CHECK(pair.machine.mapped_count() == 1);
  pair.b.kept.frames.clear();  // the copy goes, and with it its chunk
  pair.executor.RunAll();
  CHECK(pair.a.transport.lease_count() == 0);
  CHECK(pair.machine.mapped_count() == 0);
}

TEST_CASE(
    "memory that cannot be mapped for now is missing, and a peer whose memory is not what it says is lost (SB4)") {
  FakePair pair;
  const std::shared_ptr<std::byte> block = pair.a.pool->CopyOf(std::vector<std::byte>(kLarge).data(), kLarge);
  pair.machine.RefuseMapping(absl::ResourceExhaustedError("no room"));
  pair.Send(LentBuffer(block, kLarge));
  REQUIRE(pair.b.kept.frames.size() == 1);
  CHECK(absl::IsResourceExhausted(codec::CheckThere(pair.b.kept.frames[0].buffers.at(0))));
  CHECK(pair.b.kept.lost.empty());
  CHECK(pair.a.transport.lease_count() == 0);
  pair.machine.RefuseMapping(absl::FailedPreconditionError("another file"));
  pair.Send(LentBuffer(block, kLarge));
  CHECK(pair.b.kept.frames.size() == 1);
  CHECK(pair.b.kept.lost.size() == 1);
}

// ---- shortages
// A limit of this process, for as long as this lives.
class Limit {
 public:
  Limit(__rlimit_resource resource, rlim_t most) : resource_(resource) {
    REQUIRE(::getrlimit(resource, &before_) == 0);
    const rlimit lower{std::min(most, before_.rlim_cur), before_.rlim_max};
    REQUIRE(::setrlimit(resource, &lower) == 0);
  }
  ~Limit() { ::setrlimit(resource_, &before_); }

 private:
  const __rlimit_resource resource_;
  rlimit before_{};
};

// Bytes of it that this process has.
rlim_t AddressSpace() {
  rlim_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

// Memory in a segment that the peer has not mapped yet.
codec::Buffer FreshBuffer(memory::SegmentPool& pool, std::byte mark) {
  const std::shared_ptr<std::byte> block = pool.Allocate(kLarge, false);
  std::memset(block.get(), static_cast<int>(mark), kLarge);
  return LentBuffer(block, kLarge);
}

TEST_CASE("without a free descriptor what comes is mapped all the same (SB4)") {
  Pair pair;
  pair.Meet();
  Frame frame{"head", {FreshBuffer(*pair.a.pool, std::byte{7})}};
  {
    const Limit limit(RLIMIT_NOFILE, 200);
    std::vector<base::Fd> all;
    do all.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    while (all.back().valid());
    REQUIRE(pair.a.transport.Send(2, Stream::kData, std::move(frame)).ok());
    pair.Run();
  }
  REQUIRE(pair.b.kept.frames.size() == 1);
  CHECK(codec::CheckThere(pair.b.kept.frames[0].buffers.at(0)).ok());
  CHECK(pair.b.kept.frames[0].buffers[0].data[kLarge - 1] == std::byte{7});
}

TEST_CASE("what cannot be mapped now is missing, with the reason; the peer is not lost, and the next comes (SB4)") {
  Pair pair;
  pair.Meet();
  {
    Frame frame{"head", {FreshBuffer(*pair.a.pool, std::byte{7})}};
    const Limit limit(RLIMIT_AS, AddressSpace() + memory::SegmentOptions().segment_bytes / 2);
    REQUIRE(pair.a.transport.Send(2, Stream::kData, std::move(frame)).ok());
    pair.Run();
  }
  REQUIRE(pair.b.kept.frames.size() == 1);
  const codec::Buffer missing = pair.b.kept.frames[0].buffers.at(0);
  CHECK(missing.size == kLarge);
  const absl::Status why = codec::CheckThere(missing);
  CHECK(absl::IsResourceExhausted(why));
  CHECK_THAT(std::string(why.message()),
             Catch::Matchers::ContainsSubstring("97.7 KiB that came cannot be mapped here"));
  CHECK(pair.b.kept.lost.empty());
  CHECK(pair.a.transport.lease_count() == 0);
  CHECK(pair.a.pool->bytes_used() == 0);
  pair.b.kept.frames.clear();
  REQUIRE(pair.a.transport.Send(2, Stream::kData, Frame{"next", {FreshBuffer(*pair.a.pool, std::byte{8})}}).ok());
  pair.Run();
  REQUIRE(pair.b.kept.frames.size() == 1);
  CHECK(pair.b.kept.frames[0].buffers.at(0).data[0] == std::byte{8});
}

TEST_CASE("nothing is mapped where there is no thread to give it back (SB4)") {
  tests::LimitedExecutor executor(2);
  InMemoryNetwork network;
  Sharer a(1, &executor, &network);
  Sharer b(2, &executor, &network);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(a.transport.Send(2, Stream::kData, Frame{"hello", {}}).ok());
    executor.stepped.RunAll();
  }
  b.kept.frames.clear();
  REQUIRE(a.transport.Send(2, Stream::kData, Frame{"head", {FreshBuffer(*a.pool, std::byte{1})}}).ok());
  executor.stepped.RunAll();
  REQUIRE(b.kept.frames.size() == 1);
  const absl::Status why = codec::CheckThere(b.kept.frames[0].buffers.at(0));
  CHECK(absl::IsResourceExhausted(why));
  CHECK_THAT(std::string(why.message()), Catch::Matchers::ContainsSubstring("no more threads (ulimit -u"));
  CHECK(a.transport.lease_count() == 0);
  executor.most = 10;  // the shortage has passed
  b.kept.frames.clear();
  REQUIRE(a.transport.Send(2, Stream::kData, Frame{"head", {FreshBuffer(*a.pool, std::byte{1})}}).ok());
  executor.stepped.RunAll();
  CHECK(codec::CheckThere(b.kept.frames.at(0).buffers.at(0)).ok());
}

// Of a frame that has nothing else.
std::string HeadOf(const NearWord& word) {
  std::string head;
  AppendWord(word, &head);
  return head;
}

TEST_CASE("that a chunk has gone of a kind that is unknown here is nobody's concern") {
  Pair pair;
  pair.Meet();
  NearWord word;
  word.unmapped = {{7, 1}};
  word.bare = true;
  REQUIRE(pair.a.below->Send(2, Stream::kData, Frame{HeadOf(word), {}}).ok());
  pair.Run();
  CHECK(pair.b.kept.lost.empty());
}

TEST_CASE("places that make no sense lose the peer that sent them, not this process") {
  Pair pair;
  pair.Meet();
  const auto send = [&](const NearWord& word) {
    auto queue = pair.executor.NewQueue("liar");
    const auto liar = JoinStarted(pair.network, 9, &pair.a.kept, queue.get());
    CHECK(liar->Send(2, Stream::kData, Frame{HeadOf(word), {}}).ok());
    pair.Run();
    liar->Close();
  };
  const memory::SegmentPlace nowhere{.segment = 1, .fd = 0, .segment_bytes = 10, .offset = 1 << 30};
  NearWord word;
  word.shared.push_back({.index = 3, .place = nowhere, .bytes = 5, .lease = 1});
  send(word);
  CHECK(pair.b.kept.frames.empty());
  REQUIRE(pair.b.kept.lost.size() >= 1);
  CHECK(absl::IsUnavailable(pair.b.kept.lost[0]));
}

}  // namespace
}  // namespace twinkle::rpc

// What neighbours share, over a transport without rings: every step is the test's.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <twinkle/tensor.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/stepped_executor.h"
#include "runtime/memory/segment_pool.h"
#include "runtime/object/spill_file.h"
#include "runtime/rpc/in_memory_network.h"
#include "runtime/rpc/near/near_transport.h"
#include "tests/support/catch.h"
#include "tests/support/fake_shared_memory.h"
#include "tests/support/joined.h"
#include "tests/support/limited_executor.h"

namespace twinkle::rpc {
namespace {

struct KeptByNear final : Receiver {
  void OnFrame(ProcessId, Stream, Frame frame) override { frames.push_back(std::move(frame)); }
  void OnLost(ProcessId, const absl::Status& status) override { lost.push_back(status); }
  std::vector<Frame> frames;
  std::vector<absl::Status> lost;
};

template <class Memory>
struct NearWith {
  NearWith(ProcessId id, base::Executor* executor, InMemoryNetwork* network, std::shared_ptr<Memory> memory,
           std::shared_ptr<const memory::MappedFiles> files = nullptr)
      : pool(std::move(memory)),
        queue(executor->NewQueue("service." + std::to_string(id))),
        joined(network->Join(id)),
        below(joined.get()),
        transport(
            NearTransport::Options{
                .self = id, .polling = std::nullopt, .buffers = {.memories = {pool}, .files = std::move(files)}},
            executor, std::move(joined)) {
    transport.Start(&kept, queue.get());
  }
  const std::shared_ptr<Memory> pool;
  KeptByNear kept;
  const std::unique_ptr<base::TaskQueue> queue;
  std::unique_ptr<Transport> joined;  // until the other one has it
  Transport* const below;
  NearTransport transport;
};

struct NearSharer : NearWith<memory::SegmentPool> {
  NearSharer(ProcessId id, base::Executor* executor, InMemoryNetwork* network, memory::SegmentOptions segments = {},
             std::shared_ptr<const memory::MappedFiles> files = nullptr)
      : NearWith(id, executor, network, std::make_shared<memory::SegmentPool>(segments), std::move(files)) {}
};

struct NearPair {
  base::SteppedExecutor executor;
  InMemoryNetwork network;
  NearSharer a{1, &executor, &network};
  NearSharer b{2, &executor, &network};

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

codec::Buffer BlockOf(const std::shared_ptr<std::byte>& memory, size_t bytes) { return {memory.get(), bytes, memory}; }

constexpr size_t kLargeBytes = 100'000;

TEST_CASE("a buffer in a segment is not copied; what it holds stays until the reader lets go (SB1)") {
  NearPair pair;
  pair.Meet();
  std::shared_ptr<std::byte> block = pair.a.pool->Allocate(kLargeBytes, false);
  std::memset(block.get(), 5, kLargeBytes);
  const std::string small(100, 'x');
  const codec::Buffer travelling{reinterpret_cast<const std::byte*>(small.data()), small.size(), nullptr};
  REQUIRE(pair.a.transport.Send(2, Stream::kData, Frame{"head", {travelling, BlockOf(block, kLargeBytes), travelling}})
              .ok());
  const std::weak_ptr<std::byte> watched = block;
  block.reset();
  pair.Run();
  REQUIRE(pair.b.kept.frames.size() == 1);
  Frame frame = std::move(pair.b.kept.frames[0]);
  pair.b.kept.frames.clear();
  CHECK(frame.head == "head");
  REQUIRE(frame.buffers.size() == 3);
  CHECK(std::memcmp(frame.buffers[0].data, small.data(), small.size()) == 0);
  REQUIRE(frame.buffers[1].size == kLargeBytes);
  CHECK(frame.buffers[1].data != watched.lock().get());  // mapped once more
  CHECK(frame.buffers[1].data[kLargeBytes - 1] == std::byte{5});
  CHECK(pair.a.transport.traffic().copied_to_share == 0);
  CHECK(pair.a.transport.traffic().shared.sent == kLargeBytes);
  CHECK(pair.a.transport.lease_count() == 1);
  CHECK_FALSE(watched.expired());
  frame.buffers.clear();
  pair.Run();
  CHECK(watched.expired());
  CHECK(pair.a.transport.lease_count() == 0);
  CHECK(pair.a.pool->bytes_used() == 0);
}

TEST_CASE("what is not in a segment is copied into one, once for all peers") {
  NearPair pair;
  NearSharer c(3, &pair.executor, &pair.network);
  pair.Meet();
  CHECK(pair.a.transport.Send(3, Stream::kData, Frame{"hello", {}}).ok());
  pair.Run();
  c.kept.frames.clear();
  const auto text = std::make_shared<std::string>(kLargeBytes, 'y');
  const codec::Buffer buffer{reinterpret_cast<const std::byte*>(text->data()), text->size(), text};
  for (ProcessId to : {2, 3}) REQUIRE(pair.a.transport.Send(to, Stream::kData, Frame{"head", {buffer}}).ok());
  pair.Run();
  for (NearSharer* member : {&pair.b, &c}) {
    REQUIRE(member->kept.frames.size() == 1);
    CHECK(std::memcmp(member->kept.frames[0].buffers.at(0).data, text->data(), kLargeBytes) == 0);
  }
  CHECK(pair.a.transport.traffic().copied_to_share == kLargeBytes);
  CHECK(pair.a.transport.traffic().shared.sent == 2 * kLargeBytes);
  pair.b.kept.frames.clear();
  c.kept.frames.clear();
  pair.Run();
  CHECK(pair.a.pool->bytes_used() == 0);
}

TEST_CASE("a value on disk travels: it takes no memory of its owner's") {
  base::SteppedExecutor executor;
  InMemoryNetwork network;
  const auto files = std::make_shared<memory::MappedFiles>();
  NearSharer a(1, &executor, &network, {}, files);
  NearSharer b(2, &executor, &network);
  for (const auto& [from, to] : {std::pair(&a, 2), std::pair(&b, 1)}) {  // they know what they can read
    CHECK(from->transport.Send(static_cast<ProcessId>(to), Stream::kData, Frame{"hello", {}}).ok());
    executor.RunAll();
  }
  b.kept.frames.clear();
  const std::string text(kLargeBytes, 'y');
  const auto* const data = reinterpret_cast<const std::byte*>(text.data());
  auto file = *object::SpillFile::Write("/var/tmp", {"head", {{data, kLargeBytes, nullptr}}}, files);
  const codec::Buffer buffer = file->Read().buffers.at(0);
  file = nullptr;
  CHECK(files->Has(buffer.data));
  CHECK(files->Has(buffer.data + kLargeBytes - 1));
  CHECK_FALSE(files->Has(data));
  CHECK(a.transport.Send(2, Stream::kData, Frame{"head", {buffer}}).ok());
  executor.RunAll();
  REQUIRE(b.kept.frames.size() == 1);
  CHECK(std::memcmp(b.kept.frames[0].buffers.at(0).data, text.data(), kLargeBytes) == 0);
  CHECK(a.pool->bytes_touched() == 0);
  CHECK(a.transport.traffic().copied_to_share == 0);
}

TEST_CASE("a copy that one peer keeps is not what another gets once the original was overwritten (SB3)") {
  NearPair pair;
  NearSharer c(3, &pair.executor, &pair.network);
  pair.Meet();
  CHECK(pair.a.transport.Send(3, Stream::kData, Frame{"hello", {}}).ok());
  pair.Run();
  c.kept.frames.clear();
  Tensor weights = *Tensor::FromVector(std::vector<uint8_t>(kLargeBytes, 1));
  const auto send = [&](ProcessId to) {
    REQUIRE(
        pair.a.transport.Send(to, Stream::kData, Frame{"head", {{weights.raw(), kLargeBytes, weights.owner()}}}).ok());
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
  NearSharer a(1, &executor, &network, {.capacity = kLargeBytes / 2});
  NearSharer b(2, &executor, &network);
  for (int i = 0; i < 2; ++i) {
    const auto text = std::make_shared<std::string>(kLargeBytes, 'y');
    const codec::Buffer buffer{reinterpret_cast<const std::byte*>(text->data()), text->size(), text};
    REQUIRE(a.transport.Send(2, Stream::kData, Frame{"head", {buffer}}).ok());
    executor.RunAll();
    REQUIRE(b.kept.frames.size() == 1);
    REQUIRE(b.kept.frames[0].buffers.at(0).size == kLargeBytes);
    CHECK(std::memcmp(b.kept.frames[0].buffers[0].data, text->data(), kLargeBytes) == 0);
    b.kept.frames.clear();
  }
  CHECK(a.transport.traffic().shared.sent == 0);
  CHECK(a.transport.lease_count() == 0);
}

TEST_CASE("before the peer has said that it can read them the bytes travel") {
  NearPair pair;
  const auto text = std::make_shared<std::string>(kLargeBytes, 'y');
  const codec::Buffer buffer{reinterpret_cast<const std::byte*>(text->data()), text->size(), text};
  REQUIRE(pair.a.transport.Send(2, Stream::kData, Frame{"head", {buffer}}).ok());
  pair.Run();
  REQUIRE(pair.b.kept.frames.size() == 1);
  CHECK(pair.b.kept.frames[0].buffers.at(0).size == kLargeBytes);
  CHECK(pair.a.transport.traffic().shared.sent == 0);
}

TEST_CASE("what a peer had is free once its process has ended, not when only the connection broke (SB1)") {
  NearPair pair;
  pair.Meet();
  REQUIRE(pair.a.transport
              .Send(2, Stream::kData, Frame{"head", {BlockOf(pair.a.pool->Allocate(kLargeBytes, false), kLargeBytes)}})
              .ok());
  pair.network.Kill(2, absl::UnavailableError("it was killed"));
  pair.Run();
  REQUIRE(pair.a.kept.lost.size() == 1);
  CHECK(pair.a.pool->bytes_used() > 0);  // the process with that pid, this one, is still there
}

TEST_CASE("after Close what others map stays as it is (SB1)") {
  NearPair pair;
  pair.Meet();
  std::shared_ptr<std::byte> block = pair.a.pool->Allocate(kLargeBytes, false);
  std::memset(block.get(), 5, kLargeBytes);
  const std::byte* const where = block.get();
  REQUIRE(pair.a.transport.Send(2, Stream::kData, Frame{"head", {BlockOf(block, kLargeBytes)}}).ok());
  block.reset();
  pair.Run();
  REQUIRE(pair.b.kept.frames.size() == 1);
  pair.a.transport.Close();
  CHECK(pair.a.pool->Allocate(kLargeBytes, false).get() != where);
  CHECK(pair.b.kept.frames[0].buffers.at(0).data[0] == std::byte{5});
}

TEST_CASE("a peer that cannot read what it is sent says so, and counts as lost on both sides, in all layers (NT3)") {
  NearPair pair;
  pair.Meet();
  // The segment's descriptor is another file's when it is opened.
  std::shared_ptr<std::byte> block = pair.a.pool->Allocate(kLargeBytes, false);
  const int fd = std::get<memory::SegmentPlace>(*pair.a.pool->Find(block.get(), 1)).fd;
  const int other = ::memfd_create("another", MFD_CLOEXEC);
  const int kept = ::dup(fd);
  REQUIRE(::dup2(other, fd) == fd);
  REQUIRE(pair.a.transport.Send(2, Stream::kData, Frame{"head", {BlockOf(block, kLargeBytes)}}).ok());
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
struct FakeNearPair {
  FakeNearPair() {
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
  NearWith<memory::FakeSharedMemory> a{1, &executor, &network, machine.Start(::getpid())};
  NearWith<memory::FakeSharedMemory> b{2, &executor, &network, machine.Start(::getpid())};
};

TEST_CASE("a reader keeps a chunk mapped until it is told that its owner has no such chunk any more") {
  FakeNearPair pair;
  const auto text = std::make_shared<std::string>(kLargeBytes, 'y');
  pair.Send({reinterpret_cast<const std::byte*>(text->data()), kLargeBytes, text});
  REQUIRE(pair.b.kept.frames.size() == 1);
  CHECK(std::memcmp(pair.b.kept.frames[0].buffers.at(0).data, text->data(), kLargeBytes) == 0);
  CHECK(pair.a.transport.traffic().copied_to_share == kLargeBytes);
  CHECK(pair.machine.mapped_count() == 1);
  pair.b.kept.frames.clear();  // the copy goes, and with it its chunk
  pair.executor.RunAll();
  CHECK(pair.a.transport.lease_count() == 0);
  CHECK(pair.machine.mapped_count() == 0);
}

TEST_CASE(
    "memory that cannot be mapped for now is missing, and a peer whose memory is not what it says is lost (SB4)") {
  FakeNearPair pair;
  const std::shared_ptr<std::byte> block = pair.a.pool->CopyOf(std::vector<std::byte>(kLargeBytes).data(), kLargeBytes);
  pair.machine.RefuseMapping(absl::ResourceExhaustedError("no room"));
  pair.Send(BlockOf(block, kLargeBytes));
  REQUIRE(pair.b.kept.frames.size() == 1);
  CHECK(absl::IsResourceExhausted(codec::CheckThere(pair.b.kept.frames[0].buffers.at(0))));
  CHECK(pair.b.kept.lost.empty());
  CHECK(pair.a.transport.lease_count() == 0);
  pair.machine.RefuseMapping(absl::FailedPreconditionError("another file"));
  pair.Send(BlockOf(block, kLargeBytes));
  CHECK(pair.b.kept.frames.size() == 1);
  CHECK(pair.b.kept.lost.size() == 1);
}

// ---- shortages
// A limit of this process, for as long as this lives.
class LimitOf {
 public:
  LimitOf(__rlimit_resource resource, rlim_t most) : resource_(resource) {
    REQUIRE(::getrlimit(resource, &before_) == 0);
    const rlimit lower{std::min(most, before_.rlim_cur), before_.rlim_max};
    REQUIRE(::setrlimit(resource, &lower) == 0);
  }
  ~LimitOf() { ::setrlimit(resource_, &before_); }

 private:
  const __rlimit_resource resource_;
  rlimit before_{};
};

// Bytes of it that this process has.
rlim_t MappedNow() {
  rlim_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

// Memory in a segment that the peer has not mapped yet.
codec::Buffer FreshBlock(memory::SegmentPool& pool, std::byte mark) {
  const std::shared_ptr<std::byte> block = pool.Allocate(kLargeBytes, false);
  std::memset(block.get(), static_cast<int>(mark), kLargeBytes);
  return BlockOf(block, kLargeBytes);
}

TEST_CASE("without a free descriptor what comes is mapped all the same (SB4)") {
  NearPair pair;
  pair.Meet();
  Frame frame{"head", {FreshBlock(*pair.a.pool, std::byte{7})}};
  {
    const LimitOf limit(RLIMIT_NOFILE, 200);
    std::vector<base::Fd> all;
    do all.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    while (all.back().valid());
    REQUIRE(pair.a.transport.Send(2, Stream::kData, std::move(frame)).ok());
    pair.Run();
  }
  REQUIRE(pair.b.kept.frames.size() == 1);
  CHECK(codec::CheckThere(pair.b.kept.frames[0].buffers.at(0)).ok());
  CHECK(pair.b.kept.frames[0].buffers[0].data[kLargeBytes - 1] == std::byte{7});
}

TEST_CASE("what cannot be mapped now is missing, with the reason; the peer is not lost, and the next comes (SB4)") {
  NearPair pair;
  pair.Meet();
  {
    Frame frame{"head", {FreshBlock(*pair.a.pool, std::byte{7})}};
    const LimitOf limit(RLIMIT_AS, MappedNow() + memory::SegmentOptions().segment_bytes / 2);
    REQUIRE(pair.a.transport.Send(2, Stream::kData, std::move(frame)).ok());
    pair.Run();
  }
  REQUIRE(pair.b.kept.frames.size() == 1);
  const codec::Buffer missing = pair.b.kept.frames[0].buffers.at(0);
  CHECK(missing.size == kLargeBytes);
  const absl::Status why = codec::CheckThere(missing);
  CHECK(absl::IsResourceExhausted(why));
  CHECK_THAT(std::string(why.message()),
             Catch::Matchers::ContainsSubstring("97.7 KiB that came cannot be mapped here"));
  CHECK(pair.b.kept.lost.empty());
  CHECK(pair.a.transport.lease_count() == 0);
  CHECK(pair.a.pool->bytes_used() == 0);
  pair.b.kept.frames.clear();
  REQUIRE(pair.a.transport.Send(2, Stream::kData, Frame{"next", {FreshBlock(*pair.a.pool, std::byte{8})}}).ok());
  pair.Run();
  REQUIRE(pair.b.kept.frames.size() == 1);
  CHECK(pair.b.kept.frames[0].buffers.at(0).data[0] == std::byte{8});
}

TEST_CASE("nothing is mapped where there is no thread to give it back (SB4)") {
  tests::LimitedExecutor executor(2);
  InMemoryNetwork network;
  NearSharer a(1, &executor, &network);
  NearSharer b(2, &executor, &network);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(a.transport.Send(2, Stream::kData, Frame{"hello", {}}).ok());
    executor.stepped.RunAll();
  }
  b.kept.frames.clear();
  REQUIRE(a.transport.Send(2, Stream::kData, Frame{"head", {FreshBlock(*a.pool, std::byte{1})}}).ok());
  executor.stepped.RunAll();
  REQUIRE(b.kept.frames.size() == 1);
  const absl::Status why = codec::CheckThere(b.kept.frames[0].buffers.at(0));
  CHECK(absl::IsResourceExhausted(why));
  CHECK_THAT(std::string(why.message()), Catch::Matchers::ContainsSubstring("no more threads (ulimit -u"));
  CHECK(a.transport.lease_count() == 0);
  executor.most = 10;  // the shortage has passed
  b.kept.frames.clear();
  REQUIRE(a.transport.Send(2, Stream::kData, Frame{"head", {FreshBlock(*a.pool, std::byte{1})}}).ok());
  executor.stepped.RunAll();
  CHECK(codec::CheckThere(b.kept.frames.at(0).buffers.at(0)).ok());
}

// Of a frame that has nothing else.
std::string HeadWith(const NearWord& word) {
  std::string head;
  AppendWord(word, &head);
  return head;
}

TEST_CASE("that a chunk has gone of a kind that is unknown here is nobody's concern") {
  NearPair pair;
  pair.Meet();
  NearWord word;
  word.unmapped = {{7, 1}};
  word.bare = true;
  REQUIRE(pair.a.below->Send(2, Stream::kData, Frame{HeadWith(word), {}}).ok());
  pair.Run();
  CHECK(pair.b.kept.lost.empty());
}

TEST_CASE("places that make no sense lose the peer that sent them, not this process (NT4)") {
  NearPair pair;
  pair.Meet();
  const auto send = [&](const NearWord& word) {
    auto queue = pair.executor.NewQueue("liar");
    const auto liar = JoinStarted(pair.network, 9, &pair.a.kept, queue.get());
    CHECK(liar->Send(2, Stream::kData, Frame{HeadWith(word), {}}).ok());
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

#include "runtime/rpc/near/near_transport.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/memory/segment_pool.h"
#include "runtime/rpc/in_memory_network.h"
#include "tests/support/catch.h"
#include "tests/support/joined.h"
#include "tests/support/soon.h"
#include "tests/support/transport_conformance.h"

namespace twinkle::rpc {
namespace {

// Over memory: the process below all of them is this one, which can read itself and map its own files.
class NearFixture final : public TransportFixture {
 public:
  explicit NearFixture(std::optional<Poller::Options> polling) : polling_(polling) {}
  std::unique_ptr<Transport> Join(ProcessId id) override {
    return std::make_unique<NearTransport>(
        NearTransport::Options{
            .self = id, .polling = polling_, .buffers = {.memories = {std::make_shared<memory::SegmentPool>()}}},
        executor_.get(), network_.Join(id));
  }
  void Kill(ProcessId id) override { network_.Kill(id, absl::UnavailableError("it was killed")); }
  // Below: the word that a stream goes on in its ring is held up, too, so it does not.
  bool HoldData(ProcessId from, ProcessId to) override {
    network_.Hold(from, to, Stream::kData);
    return true;
  }
  void ReleaseData(ProcessId from, ProcessId to) override { network_.Release(from, to, Stream::kData); }

 private:
  const std::optional<Poller::Options> polling_;
  const std::unique_ptr<base::Executor> executor_ = base::NewThreadExecutor();
  InMemoryNetwork network_;
};

TEST_CASE("the transport between neighbours does what every transport must, with rings and without (TR1-TR6)") {
  const std::pair<const char*, std::optional<Poller::Options>> kWays[] = {
      {"without rings", std::nullopt},
      {"who polls sleeps at once", Poller::Options{.patience = absl::ZeroDuration()}},
      {"who polls waits a while", Poller::Options{.patience = absl::Milliseconds(1)}}};
  for (const auto& [way, polling] : kWays) {
    for (const TransportCheck& check : TransportChecks()) {
      DYNAMIC_SECTION(check.name << ", " << way) {
        NearFixture fixture(polling);
        check.run(fixture);
      }
    }
  }
}

// ---- rings -------------------------------------------------------------------------------------
class RingMember final : public Receiver {
 public:
  RingMember(ProcessId id, InMemoryNetwork& network)
      : queue_(executor_->NewQueue("member")),
        joined_(network.Join(id)),
        below_(joined_.get()),
        transport_(NearTransport::Options{.self = id}, executor_.get(), std::move(joined_)) {
    transport_.Start(this, queue_.get());
  }
  ~RingMember() override {
    transport_.Close();
    queue_->Close();
  }
  NearTransport& transport() { return transport_; }
  Transport& below() { return *below_; }

  void OnFrame(ProcessId, Stream, Frame frame) override { Add(frame.head + Texts(frame)); }
  void OnLost(ProcessId peer, const absl::Status&) override { Add("lost " + std::to_string(peer)); }

  std::vector<std::string> AwaitHeard(size_t count) {
    base::MutexLock lock(&mutex_);
    const base::Instant deadline = tests::Soon();
    while (heard_.size() < count && base::Now() < deadline) changed_.WaitWithDeadline(&mutex_, deadline);
    return heard_;
  }
  void Forget() {
    base::MutexLock lock(&mutex_);
    heard_.clear();
  }

 private:
  static std::string Texts(const Frame& frame) {
    std::string text;
    for (const codec::Buffer& buffer : frame.buffers)
      text.append(reinterpret_cast<const char*>(buffer.data), buffer.size);
    return text;
  }
  void Add(std::string text) {
    base::MutexLock lock(&mutex_);
    heard_.push_back(std::move(text));
    changed_.SignalAll();
  }

  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<std::string> heard_;
  const std::unique_ptr<base::Executor> executor_ = base::NewThreadExecutor();
  const std::unique_ptr<base::TaskQueue> queue_;
  std::unique_ptr<Transport> joined_;  // until the other one has it
  Transport* const below_;
  NearTransport transport_;
};

// Both send through rings from here on.
void MeetInRings(RingMember& a, ProcessId a_id, RingMember& b, ProcessId b_id) {
  const base::Instant deadline = tests::Soon();
  while ((a.transport().frames_in_rings() == 0 || b.transport().frames_in_rings() == 0) && base::Now() < deadline) {
    REQUIRE(a.transport().Send(b_id, Stream::kData, Frame{"hello", {}}).ok());
    REQUIRE(b.transport().Send(a_id, Stream::kData, Frame{"hello", {}}).ok());
    std::this_thread::yield();
  }
  REQUIRE(a.transport().frames_in_rings() > 0);
  REQUIRE(b.transport().frames_in_rings() > 0);
}

TEST_CASE("frames larger than a ring go through it, in order with small ones and with those from before (NT1, RG1)") {
  InMemoryNetwork network;
  RingMember a(1, network);
  RingMember b(2, network);
  MeetInRings(a, 1, b, 2);
  const std::string end = "end of greetings";
  REQUIRE(a.transport().Send(2, Stream::kData, Frame{end, {}}).ok());
  size_t greetings = 0;
  while (b.AwaitHeard(greetings + 1).back() != end) ++greetings;
  b.Forget();
  std::vector<std::string> sent;
  for (int i = 0; i < 40; ++i) {
    const auto text = std::make_shared<const std::string>(i % 4 == 0 ? 300'000 : 100, static_cast<char>('a' + i % 26));
    const codec::Buffer buffer{reinterpret_cast<const std::byte*>(text->data()), text->size(), text};
    REQUIRE(a.transport().Send(2, Stream::kData, Frame{std::to_string(i), {buffer}}).ok());
    sent.push_back(std::to_string(i) + *text);
  }
  CHECK(b.AwaitHeard(sent.size()) == sent);
}

TEST_CASE(
    "what a process sent before it died arrives before its loss is told; losses in the order they happened (NT2, "
    "RG2)") {
  for (int round = 0; round < 20; ++round) {
    InMemoryNetwork network;
    RingMember survivor(1, network);
    auto first = std::make_unique<RingMember>(2, network);
    auto second = std::make_unique<RingMember>(3, network);
    MeetInRings(survivor, 1, *first, 2);
    MeetInRings(survivor, 1, *second, 3);
    REQUIRE(second->transport().Send(1, Stream::kData, Frame{"last of 3", {}}).ok());
    REQUIRE(first->transport().Send(1, Stream::kData, Frame{"last of 2", {}}).ok());
    network.Kill(3, absl::UnavailableError("killed"));
    network.Kill(2, absl::UnavailableError("killed"));
    std::vector<std::string> heard;
    for (size_t count = 1; heard.empty() || heard.back() != "lost 2"; ++count) heard = survivor.AwaitHeard(count);
    std::erase(heard, "hello");
    const auto at = [&](const std::string& text) { return std::find(heard.begin(), heard.end(), text); };
    CHECK(heard.size() == 4);
    CHECK(at("last of 3") < at("lost 3"));
    CHECK(at("last of 2") < at("lost 2"));
    CHECK(at("lost 3") < at("lost 2"));
    CHECK(absl::IsUnavailable(survivor.transport().Send(2, Stream::kData, Frame{"too late", {}})));
  }
}

TEST_CASE("whom a process gives up it has lost below, too, and so has the other (NT3)") {
  InMemoryNetwork network;
  RingMember a(1, network);
  RingMember b(2, network);
  MeetInRings(a, 1, b, 2);
  a.transport().Lose(2, absl::UnavailableError("enough"));
  CHECK(absl::IsUnavailable(a.transport().Send(2, Stream::kData, Frame{"text", {}})));
  for (size_t count = 1; a.AwaitHeard(count).back() != "lost 2"; ++count) {
  }
  for (size_t count = 1; b.AwaitHeard(count).back() != "lost 1"; ++count) {
  }
  CHECK(absl::IsUnavailable(a.below().Send(2, Stream::kData, Frame{"text", {}})));
  CHECK(absl::IsUnavailable(b.below().Send(1, Stream::kData, Frame{"text", {}})));
}

TEST_CASE("a peer that says it goes on in a ring it never offered is refused, and both sides hear of it (NT4)") {
  InMemoryNetwork network;
  RingMember honest(1, network);
  const std::unique_ptr<base::Executor> executor = base::NewThreadExecutor();
  const std::unique_ptr<base::TaskQueue> queue = executor->NewQueue("liar");
  struct Liar final : Receiver {
    void OnFrame(ProcessId, Stream, Frame) override {}
    void OnLost(ProcessId, const absl::Status&) override {}
  } liar;
  const auto transport = JoinStarted(network, 2, &liar, queue.get());
  NearWord word;
  word.switched = true;
  const Frame frame = BareFrame(std::move(word));
  REQUIRE(transport->Send(1, Stream::kData, frame).ok());
  CHECK(honest.AwaitHeard(1) == std::vector<std::string>{"lost 2"});
  CHECK(absl::IsUnavailable(honest.transport().Send(2, Stream::kData, Frame{"text", {}})));
  CHECK(absl::IsUnavailable(transport->Send(1, Stream::kData, Frame{"text", {}})));
  transport->Close();
  queue->Close();
}

}  // namespace
}  // namespace twinkle::rpc

#include "tests/support/transport_conformance.h"

#include <absl/time/time.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/mutex.h"
#include "tests/support/catch.h"
#include "tests/support/soon.h"

namespace twinkle::rpc {
namespace {

struct Arrived {
  ProcessId from;
  Stream stream;
  std::string head;
  std::vector<std::string> buffers;
  bool operator==(const Arrived&) const = default;
};

// A process that keeps what it hears.
class Peer final : public Receiver {
 public:
  enum class Begins { kAtOnce, kLater };
  Peer(TransportFixture& fixture, ProcessId id, Begins begins = Begins::kAtOnce)
      : id_(id),
        executor_(base::NewThreadExecutor()),
        queue_(executor_->NewQueue("peer")),
        transport_(fixture.Join(id)) {
    if (begins == Begins::kAtOnce) Start();
  }
  ~Peer() override {
    transport_->Close();
    queue_->Close();
  }

  void Start() { transport_->Start(this, queue_.get()); }
  ProcessId id() const { return id_; }
  Transport& transport() { return *transport_; }
  base::TaskQueue& queue() { return *queue_; }

  absl::Status Send(const Peer& to, const std::string& text, Stream stream = Stream::kData) {
    return transport_->Send(to.id(), stream, Frame{text, {}});
  }

  // Whether that many frames, or losses, have arrived; blocks until they have.
  bool AwaitFrames(size_t count) {
    return Await([&] { return frames_.size() >= count; });
  }
  bool AwaitLosses(size_t count) {
    return Await([&] { return lost_.size() >= count; });
  }
  // Until everything that was in its queue has run.
  void Settle() {
    const auto done = std::make_shared<base::Event>();
    queue_->Post([done] { done->Set(); });
    REQUIRE(done->WaitUntil(tests::Soon()));
  }
  std::vector<Arrived> frames() {
    base::MutexLock lock(&mutex_);
    return frames_;
  }
  std::vector<std::string> Heads(ProcessId from, Stream stream) {
    std::vector<std::string> heads;
    for (const Arrived& frame : frames()) {
      if (frame.from == from && frame.stream == stream) heads.push_back(frame.head);
    }
    return heads;
  }
  // Who was lost, and how many frames had arrived by then.
  std::vector<std::pair<ProcessId, size_t>> lost() {
    base::MutexLock lock(&mutex_);
    return lost_;
  }

  void OnFrame(ProcessId from, Stream stream, Frame frame) override {
    Arrived arrived{from, stream, frame.head, {}};
    for (const codec::Buffer& buffer : frame.buffers) {
      arrived.buffers.emplace_back(reinterpret_cast<const char*>(buffer.data), buffer.size);
    }
    base::MutexLock lock(&mutex_);
    frames_.push_back(std::move(arrived));
    changed_.SignalAll();
  }
  void OnLost(ProcessId peer, const absl::Status&) override {
    base::MutexLock lock(&mutex_);
    lost_.emplace_back(peer, frames_.size());
    changed_.SignalAll();
  }

 private:
  bool Await(const std::function<bool()>& there) {
    const base::Instant deadline = tests::Soon();
    base::MutexLock lock(&mutex_);
    while (!there()) {
      if (base::Now() >= deadline) return false;
      changed_.WaitWithDeadline(&mutex_, deadline);
    }
    return true;
  }

  const ProcessId id_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<Arrived> frames_;
  std::vector<std::pair<ProcessId, size_t>> lost_;
  const std::unique_ptr<base::Executor> executor_;
  const std::unique_ptr<base::TaskQueue> queue_;
  const std::unique_ptr<Transport> transport_;
};

std::vector<std::string> Counted(const std::string& prefix, int count) {
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) texts.push_back(prefix + std::to_string(i));
  return texts;
}

// ---- TR1 ----------------------------------------------------------------------------------------
void KeepsOrder(TransportFixture& fixture) {
  Peer a(fixture, 1);
  Peer b(fixture, 2);
  constexpr int kFrames = 500;
  for (int i = 0; i < kFrames; ++i) {
    REQUIRE(a.Send(b, "d" + std::to_string(i)).ok());
    if (i % 5 == 0) REQUIRE(a.Send(b, "c" + std::to_string(i / 5), Stream::kControl).ok());
    if (i % 7 == 0) REQUIRE(b.Send(a, "b" + std::to_string(i / 7)).ok());
  }
  REQUIRE(b.AwaitFrames(kFrames + kFrames / 5));
  REQUIRE(a.AwaitFrames(72));
  a.Settle();
  b.Settle();
  CHECK(b.Heads(1, Stream::kData) == Counted("d", kFrames));
  CHECK(b.Heads(1, Stream::kControl) == Counted("c", kFrames / 5));
  CHECK(a.Heads(2, Stream::kData) == Counted("b", 72));
  CHECK(b.frames().size() == kFrames + kFrames / 5);
}

void KeepsOrderOfManySenders(TransportFixture& fixture) {
  Peer to(fixture, 1);
  std::vector<std::unique_ptr<Peer>> peers;
  for (ProcessId id = 2; id <= 4; ++id) peers.push_back(std::make_unique<Peer>(fixture, id));
  constexpr int kThreads = 2;  // of each sender
  constexpr int kFrames = 150;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (const auto& peer : peers) {
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread, from = peer.get()] {
        for (const std::string& text : Counted(std::to_string(thread) + "-", kFrames)) {
          if (!from->Send(to, text).ok()) ++refused;
        }
      });
    }
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(refused == 0);
  REQUIRE(to.AwaitFrames(3 * kThreads * kFrames));
  to.Settle();
  CHECK(to.frames().size() == 3 * kThreads * kFrames);
  for (const auto& peer : peers) {
    std::map<char, std::vector<std::string>> by_thread;
    for (std::string& head : to.Heads(peer->id(), Stream::kData)) by_thread[head[0]].push_back(std::move(head));
    for (int thread = 0; thread < kThreads; ++thread) {
      const std::string name = std::to_string(thread);
      CHECK(by_thread[name[0]] == Counted(name + "-", kFrames));
    }
  }
}

void ReachesItself(TransportFixture& fixture) {
  Peer a(fixture, 1);
  REQUIRE(a.Send(a, "one").ok());
  REQUIRE(a.Send(a, "two").ok());
  REQUIRE(a.AwaitFrames(2));
  CHECK(a.Heads(1, Stream::kData) == std::vector<std::string>{"one", "two"});
}

void KeepsOrderOverCuts(TransportFixture& fixture) {
  Peer a(fixture, 1);
  Peer b(fixture, 2);
  constexpr int kFrames = 40;
  for (int i = 0; i < kFrames; ++i) {
    REQUIRE(a.Send(b, "d" + std::to_string(i)).ok());
    REQUIRE(a.Send(b, "c" + std::to_string(i), Stream::kControl).ok());
    REQUIRE(b.Send(a, "b" + std::to_string(i)).ok());
    if (i % 3 == 0) REQUIRE(b.AwaitFrames(2 * static_cast<size_t>(i)));  // else they break with more on its way
    fixture.Cut(1, 2);
  }
  REQUIRE(b.AwaitFrames(2 * kFrames));
  REQUIRE(a.AwaitFrames(kFrames));
  a.Settle();
  b.Settle();
  CHECK(b.Heads(1, Stream::kData) == Counted("d", kFrames));
  CHECK(b.Heads(1, Stream::kControl) == Counted("c", kFrames));
  CHECK(a.Heads(2, Stream::kData) == Counted("b", kFrames));
  CHECK(a.lost().empty());
  CHECK(b.lost().empty());
}

// ---- TR2 ----------------------------------------------------------------------------------------
void BringsBuffers(TransportFixture& fixture) {
  Peer a(fixture, 1);
  Peer b(fixture, 2);
  std::vector<std::string> sent;
  Frame frame{std::string("a\0head", 6), {}};
  for (const size_t size : {size_t{1}, size_t{4096}, size_t{3} << 20}) {
    std::string contents(size, '\0');
    for (size_t i = 0; i < size; ++i) contents[i] = static_cast<char>(i * 31 + size);
    sent.push_back(contents);
    const auto kept = std::make_shared<const std::string>(std::move(contents));
    frame.buffers.push_back({reinterpret_cast<const std::byte*>(kept->data()), size, kept});
  }
  // Nobody but the transport keeps what the frame refers to.
  REQUIRE(a.transport().Send(2, Stream::kData, std::move(frame)).ok());
  REQUIRE(b.AwaitFrames(1));
  const Arrived arrived = b.frames()[0];
  CHECK((arrived.head == std::string("a\0head", 6)));
  CHECK((arrived.buffers == sent));
}

void BringsBuffersOverCuts(TransportFixture& fixture) {
  Peer a(fixture, 1);
  Peer b(fixture, 2);
  const auto kept = std::make_shared<const std::string>(size_t{8} << 20, 'x');
  for (int i = 0; i < 4; ++i) {
    Frame frame{std::to_string(i), {{reinterpret_cast<const std::byte*>(kept->data()), kept->size(), kept}}};
    REQUIRE(a.transport().Send(2, Stream::kData, std::move(frame)).ok());
    fixture.Cut(1, 2);
  }
  REQUIRE(b.AwaitFrames(4));
  CHECK(b.Heads(1, Stream::kData) == Counted("", 4));
  for (const Arrived& arrived : b.frames()) CHECK((arrived.buffers == std::vector<std::string>{*kept}));
  // What has arrived is let go of.
  const base::Instant deadline = tests::Soon();
  while (kept.use_count() > 1 && base::Now() < deadline) std::this_thread::yield();
  CHECK(kept.use_count() == 1);
}

void BringsEmptyFrames(TransportFixture& fixture) {
  Peer a(fixture, 1);
  Peer b(fixture, 2);
  REQUIRE(a.Send(b, "").ok());
  REQUIRE(b.AwaitFrames(1));
  CHECK(b.frames()[0] == Arrived{1, Stream::kData, "", {}});
}

// ---- TR3 ----------------------------------------------------------------------------------------
void TellsOfLosses(TransportFixture& fixture) {
  Peer a(fixture, 1);
  Peer b(fixture, 2);
  Peer c(fixture, 3);
  for (int i = 0; i < 100; ++i) a.Send(b, std::to_string(i)).IgnoreError();
  fixture.Kill(1);
  REQUIRE(b.AwaitLosses(1));
  REQUIRE(c.AwaitLosses(1));
  const size_t until_then = b.lost()[0].second;
  CHECK(b.lost()[0].first == 1);
  CHECK(c.lost()[0].first == 1);
  for (const Stream stream : {Stream::kData, Stream::kControl}) {
    CHECK(absl::IsUnavailable(b.Send(a, "are you there?", stream)));
  }
  REQUIRE(b.Send(c, "still here").ok());
  REQUIRE(c.AwaitFrames(1));
  b.Settle();
  CHECK(b.frames().size() == until_then);
  CHECK(b.lost().size() == 1);
  std::vector<std::string> first = Counted("", 100);  // what came is the beginning of what was sent
  first.resize(until_then);
  CHECK(b.Heads(1, Stream::kData) == first);
}

void TellsOfThoseWhoLeft(TransportFixture& fixture) {
  Peer a(fixture, 1);
  Peer b(fixture, 2);
  REQUIRE(a.Send(b, "last words").ok());
  REQUIRE(b.AwaitFrames(1));
  a.transport().Close();
  a.transport().Close();
  REQUIRE(b.AwaitLosses(1));
  b.Settle();
  CHECK(b.lost().size() == 1);
  CHECK(absl::IsUnavailable(b.Send(a, "wait")));
  a.Settle();
  CHECK(a.lost().empty());  // it left; nobody left it
}

// Each of the two has heard of the other's end, once, and both still reach the third.
void CheckApart(Peer& a, Peer& b, Peer& c) {
  REQUIRE(a.AwaitLosses(1));
  REQUIRE(b.AwaitLosses(1));
  CHECK(absl::IsUnavailable(a.Send(b, "more")));
  CHECK(absl::IsUnavailable(b.Send(a, "more")));
  for (Peer* peer : {&a, &b}) {
    REQUIRE(peer->Send(c, "still here").ok());
    peer->Settle();
    CHECK(peer->lost().size() == 1);
  }
  REQUIRE(c.AwaitFrames(2));
  CHECK(c.lost().empty());
}

void TellsOfThoseGivenUp(TransportFixture& fixture) {
  Peer a(fixture, 1);
  Peer b(fixture, 2);
  Peer c(fixture, 3);
  REQUIRE(a.Send(b, "sense").ok());
  REQUIRE(b.AwaitFrames(1));
  REQUIRE(b.Send(a, "nonsense").ok());
  REQUIRE(a.AwaitFrames(1));
  a.transport().Lose(2, absl::UnavailableError("it talks nonsense"));
  a.transport().Lose(2, absl::UnavailableError("it still does"));
  CheckApart(a, b, c);
}

// As when each finds that it cannot read what the other sends.
void TellsOnceOfThoseWhoGiveEachOtherUp(TransportFixture& fixture) {
  Peer a(fixture, 1);
  Peer b(fixture, 2);
  Peer c(fixture, 3);
  for (int i = 0; i < 20; ++i) {
    REQUIRE(a.Send(b, "sense").ok());
    REQUIRE(b.Send(a, "sense").ok());
  }
  REQUIRE(a.AwaitFrames(1));
  std::thread other([&] { b.transport().Lose(1, absl::UnavailableError("it talks nonsense")); });
  a.transport().Lose(2, absl::UnavailableError("it talks nonsense"));
  other.join();
  CheckApart(a, b, c);
  CHECK(a.frames().size() == a.lost()[0].second);  // none came after it was told
}

// ---- TR4 ----------------------------------------------------------------------------------------
void SendsNothingAfterClose(TransportFixture& fixture) {
  Peer a(fixture, 1);
  Peer b(fixture, 2);
  a.transport().Close();
  for (const Stream stream : {Stream::kData, Stream::kControl}) CHECK(absl::IsCancelled(a.Send(b, "more", stream)));
  REQUIRE(b.AwaitLosses(1));
  b.Settle();
  CHECK(b.frames().empty());
}

// Closed on the queue on which frames are delivered, so that no delivery can be under way.
void DeliversNothingAfterClose(TransportFixture& fixture) {
  base::Event sent;
  base::Event closed;
  std::atomic<size_t> before = 0;
  Peer a(fixture, 1);
  Peer b(fixture, 2);
  b.queue().Post([&] {
    sent.WaitUntil(tests::Soon());
    b.transport().Close();
    before = b.frames().size();
    closed.Set();
  });
  for (int i = 0; i < 10; ++i) REQUIRE(a.Send(b, std::to_string(i)).ok());
  sent.Set();
  REQUIRE(closed.WaitUntil(tests::Soon()));
  REQUIRE(a.AwaitLosses(1));
  b.Settle();
  CHECK(b.frames().size() == before);
  CHECK(b.lost().empty());
}

// ---- TR5 ----------------------------------------------------------------------------------------
// Takes long to carry, unless the stream is held up anyway.
Frame LongFrame(bool is_held) { return {std::string(is_held ? 1 : size_t{64} << 20, 'd'), {}}; }

void ControlPassesData(TransportFixture& fixture) {
  Peer a(fixture, 1);
  Peer b(fixture, 2);
  const bool is_held = fixture.HoldData(1, 2);
  REQUIRE(a.transport().Send(2, Stream::kData, LongFrame(is_held)).ok());
  REQUIRE(a.Send(b, "control", Stream::kControl).ok());
  REQUIRE(b.Send(a, "the other way").ok());
  REQUIRE(b.AwaitFrames(1));
  REQUIRE(a.AwaitFrames(1));
  CHECK(b.frames()[0].head == "control");
  fixture.ReleaseData(1, 2);
  REQUIRE(b.AwaitFrames(2));
  CHECK((b.frames()[1].head == LongFrame(is_held).head));
}

void LossPassesData(TransportFixture& fixture) {
  Peer a(fixture, 1);
  Peer b(fixture, 2);
  REQUIRE(a.transport().Send(2, Stream::kData, LongFrame(fixture.HoldData(1, 2))).ok());
  fixture.Kill(1);
  REQUIRE(b.AwaitLosses(1));
  fixture.ReleaseData(1, 2);
  b.Settle();
  CHECK(b.frames().empty());
}

// ---- TR6 ----------------------------------------------------------------------------------------
void KeepsWhatCameEarly(TransportFixture& fixture) {
  Peer a(fixture, 1);
  Peer b(fixture, 2, Peer::Begins::kLater);
  constexpr int kFrames = 20;
  for (int i = 0; i < kFrames; ++i) {
    REQUIRE(a.Send(b, "d" + std::to_string(i)).ok());
    REQUIRE(a.Send(b, "c" + std::to_string(i), Stream::kControl).ok());
  }
  b.Settle();
  CHECK(b.frames().empty());
  b.Start();
  REQUIRE(a.Send(b, "d" + std::to_string(kFrames)).ok());
  REQUIRE(b.Send(a, "heard").ok());
  REQUIRE(b.AwaitFrames(2 * kFrames + 1));
  CHECK(b.Heads(1, Stream::kData) == Counted("d", kFrames + 1));
  CHECK(b.Heads(1, Stream::kControl) == Counted("c", kFrames));
  REQUIRE(a.AwaitFrames(1));
}

}  // namespace

const std::vector<TransportCheck>& TransportChecks() {
  static const std::vector<TransportCheck> kChecks = {
      {"TR1: frames of each stream arrive in the order sent, each once", &KeepsOrder},
      {"TR1: so they do from many senders in several threads", &KeepsOrderOfManySenders},
      {"TR1: so they do though the connection breaks again and again, at every frame", &KeepsOrderOverCuts},
      {"TR1: a process can send to itself", &ReachesItself},
      {"TR2: buffers arrive as they were sent, however large", &BringsBuffers},
      {"TR2: so they do though the connection breaks on their way, and are let go of then", &BringsBuffersOverCuts},
      {"TR2: a frame may be empty", &BringsEmptyFrames},
      {"TR3: after a process was lost nothing more comes from it, and it is Unavailable", &TellsOfLosses},
      {"TR3: who closes is lost to the others, once", &TellsOfThoseWhoLeft},
      {"TR3: who gives up a peer is lost to it, too, and both are there for others", &TellsOfThoseGivenUp},
      {"TR3: two that give each other up hear of it once each", &TellsOnceOfThoseWhoGiveEachOtherUp},
      {"TR4: after Close Send fails with Cancelled", &SendsNothingAfterClose},
      {"TR4: after Close nothing is delivered, not even what was on its way", &DeliversNothingAfterClose},
      {"TR5: control does not wait behind data that is held up", &ControlPassesData},
      {"TR3, TR5: a loss does not wait behind data that is held up, which never arrives then", &LossPassesData},
      {"TR6: what comes before Start is delivered after it, in order", &KeepsWhatCameEarly},
  };
  return kChecks;
}

}  // namespace twinkle::rpc

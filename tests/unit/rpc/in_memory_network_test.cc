#include "runtime/rpc/in_memory_network.h"

#include <absl/strings/match.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"
#include "tests/support/joined.h"
#include "tests/support/transport_conformance.h"

namespace twinkle::rpc {
namespace {

class InMemoryFixture final : public TransportFixture {
 public:
  std::unique_ptr<Transport> Join(ProcessId id) override { return network_.Join(id); }
  void Kill(ProcessId id) override { network_.Kill(id, absl::UnavailableError("it was killed")); }
  bool HoldData(ProcessId from, ProcessId to) override {
    network_.Hold(from, to, Stream::kData);
    return true;
  }
  void ReleaseData(ProcessId from, ProcessId to) override { network_.Release(from, to, Stream::kData); }

 private:
  InMemoryNetwork network_;
};

TEST_CASE("the in-memory network does what every transport must (TR1-TR6)") {
  for (const TransportCheck& check : TransportChecks()) {
    DYNAMIC_SECTION(check.name) {
      InMemoryFixture fixture;
      check.run(fixture);
    }
  }
}

// ---- what only this one has --------------------------------------------------------------------
struct Note {
  std::string text;  // "<from> <head>", or "lost <peer>: <why>"
  const std::byte* first_buffer = nullptr;
};

class Notes final : public Receiver {
 public:
  void OnFrame(ProcessId from, Stream, Frame frame) override {
    notes.push_back({std::to_string(from) + " " + frame.head, frame.buffers.empty() ? nullptr : frame.buffers[0].data});
  }
  void OnLost(ProcessId peer, const absl::Status& why) override {
    notes.push_back({"lost " + std::to_string(peer) + ": " + std::string(why.message())});
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const Note& note : notes) all.push_back(note.text);
    return all;
  }
  std::vector<Note> notes;
};

using Texts = std::vector<std::string>;

// Two processes whose queues, "1" and "2", are stepped.
struct NetworkPair {
  base::SteppedExecutor executor;
  InMemoryNetwork network;
  Notes notes1;
  Notes notes2;
  const std::unique_ptr<base::TaskQueue> queue1 = executor.NewQueue("1");
  const std::unique_ptr<base::TaskQueue> queue2 = executor.NewQueue("2");
  const std::unique_ptr<Transport> one = JoinStarted(network, 1, &notes1, queue1.get());
  const std::unique_ptr<Transport> two = JoinStarted(network, 2, &notes2, queue2.get());
};

absl::Status SendText(Transport& from, ProcessId to, const std::string& text, Stream stream = Stream::kData) {
  return from.Send(to, stream, Frame{text, {}});
}

TEST_CASE("frames are delivered on the receiver's queue, never inside Send") {
  NetworkPair pair;
  REQUIRE(SendText(*pair.one, 2, "a").ok());
  CHECK(pair.notes2.notes.empty());
  CHECK(pair.executor.Ready() == Texts{"2"});
  pair.executor.RunAll();
  CHECK(pair.notes2.texts() == Texts{"1 a"});
}

TEST_CASE("buffers go by reference and stay as long as the frame (TR2)") {
  NetworkPair pair;
  auto contents = std::make_shared<const std::string>(5000, 'x');
  const auto* data = reinterpret_cast<const std::byte*>(contents->data());
  const std::weak_ptr<const std::string> watched = contents;
  Frame frame{"a", {}};
  frame.buffers.push_back({data, contents->size(), std::move(contents)});
  REQUIRE(pair.one->Send(2, Stream::kData, std::move(frame)).ok());
  CHECK_FALSE(watched.expired());
  pair.executor.RunAll();
  CHECK(pair.notes2.notes.at(0).first_buffer == data);
  CHECK(watched.expired());
}

TEST_CASE("what came for a process that leaves before it has started is let go of") {
  NetworkPair pair;
  auto bytes = std::make_shared<std::string>("bytes");
  const std::weak_ptr<std::string> held = bytes;
  const auto three = pair.network.Join(3);
  const auto* data = reinterpret_cast<const std::byte*>(bytes->data());
  REQUIRE(pair.one->Send(3, Stream::kData, Frame{"early", {{data, bytes->size(), std::move(bytes)}}}).ok());
  CHECK_FALSE(held.expired());
  three->Close();
  CHECK(held.expired());
}

TEST_CASE("frames of a held stream wait and come in their order when it is released (TR1)") {
  NetworkPair pair;
  pair.network.Hold(1, 2, Stream::kData);
  REQUIRE(SendText(*pair.one, 2, "a").ok());
  REQUIRE(SendText(*pair.one, 2, "b").ok());
  REQUIRE(SendText(*pair.one, 2, "control", Stream::kControl).ok());
  pair.executor.RunAll();
  CHECK(pair.notes2.texts() == Texts{"1 control"});
  pair.network.Release(1, 2, Stream::kData);
  REQUIRE(SendText(*pair.one, 2, "c").ok());
  pair.executor.RunAll();
  CHECK(pair.notes2.texts() == Texts{"1 control", "1 a", "1 b", "1 c"});
}

TEST_CASE("frames that a lost process sent before are delivered before the loss, held ones never (TR3)") {
  NetworkPair pair;
  REQUIRE(SendText(*pair.one, 2, "a").ok());
  pair.network.Hold(1, 2, Stream::kControl);
  REQUIRE(SendText(*pair.one, 2, "held", Stream::kControl).ok());
  pair.network.Kill(1, absl::UnavailableError("power cut"));
  pair.network.Release(1, 2, Stream::kControl);
  pair.executor.RunAll();
  CHECK(pair.notes2.texts() == Texts{"1 a", "lost 1: power cut"});
}

TEST_CASE("a killed process sends nothing more, and hears nothing of its own end") {
  NetworkPair pair;
  pair.network.Kill(1, absl::UnavailableError("power cut"));
  pair.network.Kill(1, absl::UnavailableError("again"));
  CHECK(absl::IsCancelled(SendText(*pair.one, 2, "a")));
  const absl::Status gone = SendText(*pair.two, 1, "b");
  CHECK(absl::IsUnavailable(gone));
  CHECK(absl::StrContains(gone.message(), "power cut"));
  pair.executor.RunAll();
  CHECK(pair.notes1.notes.empty());
  CHECK(pair.notes2.texts() == Texts{"lost 1: power cut"});
}

TEST_CASE("a process that never was is Unavailable") {
  NetworkPair pair;
  CHECK(absl::IsUnavailable(SendText(*pair.one, 77, "a")));
}

TEST_CASE("a transport that is destroyed has left") {
  NetworkPair pair;
  {
    Notes notes3;
    const auto queue3 = pair.executor.NewQueue("3");
    const auto three = JoinStarted(pair.network, 3, &notes3, queue3.get());
  }
  pair.executor.RunAll();
  CHECK(pair.notes1.texts() == Texts{"lost 3: the process has ended"});
}

}  // namespace
}  // namespace twinkle::rpc

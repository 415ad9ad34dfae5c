// A link over a stream of the test's, step by step.
#include "runtime/rpc/grpc/grpc_link.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

// Each operation waits until the test ends it.
class SteppedLink final : public GrpcLink {
 public:
  SteppedLink(Wire wire, Events events) : GrpcLink(std::move(wire), std::move(events)) {}
  using GrpcLink::End;
  using GrpcLink::Open;
  void Cancel() override { cancelled = true; }
  std::string Address() const override { return ""; }

  bool writing() const { return write_ != nullptr; }
  bool reading() const { return read_ != nullptr; }
  bool finishing() const { return finish_ != nullptr; }
  grpc::ByteBuffer EndWrite(bool ok = true) {
    grpc::ByteBuffer bytes = written_;
    std::exchange(write_, nullptr)->Run(ok);  // the next may begin
    return bytes;
  }
  void EndRead(grpc::ByteBuffer bytes) {
    *buffer_ = std::move(bytes);
    std::exchange(read_, nullptr)->Run(true);
  }
  void BreakRead() { std::exchange(read_, nullptr)->Run(false); }
  void EndFinish() { std::exchange(finish_, nullptr)->Run(true); }
  // Ends what is under way, each operation of which keeps the link.
  void Break() {
    while (reading() || writing() || finishing()) {
      if (reading()) BreakRead();
      if (writing()) EndWrite(false);
      if (finishing()) EndFinish();
    }
  }

  bool cancelled = false;

 protected:
  void StartRead(grpc::ByteBuffer* buffer, CompletionTag* tag) override {
    REQUIRE(read_ == nullptr);
    buffer_ = buffer;
    read_ = tag;
  }
  void StartWrite(const grpc::ByteBuffer& buffer, CompletionTag* tag) override {
    REQUIRE(write_ == nullptr);  // GL1
    written_ = buffer;
    write_ = tag;
  }
  void StartFinish(CompletionTag* tag) override {
    REQUIRE(finish_ == nullptr);
    finish_ = tag;
  }
  absl::Status FinalStatus() const override { return absl::UnavailableError("it broke"); }

 private:
  grpc::ByteBuffer* buffer_ = nullptr;
  grpc::ByteBuffer written_;
  CompletionTag* read_ = nullptr;
  CompletionTag* write_ = nullptr;
  CompletionTag* finish_ = nullptr;
};

// A link and what it has told.
struct End {
  explicit End(uint64_t life)
      : link(std::make_shared<SteppedLink>(
            GrpcLink::Wire{.traffic = std::make_shared<Traffic>(), .arrivals = arrivals, .life = life},
            GrpcLink::Events{
                [this](const std::shared_ptr<GrpcLink>&, ReceivedMessage message) {
                  heard.push_back(std::move(message));
                },
                [this](const std::shared_ptr<GrpcLink>&, const absl::Status& status) { gone.push_back(status); },
                [this](const std::shared_ptr<GrpcLink>&) { ++rooms; }})) {}
  ~End() { link->Break(); }
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  std::shared_ptr<Arrivals> arrivals = std::make_shared<Arrivals>();
  std::vector<ReceivedMessage> heard;
  std::vector<absl::Status> gone;
  int rooms = 0;
  std::shared_ptr<SteppedLink> link;
};

std::vector<std::string> Heads(const ReceivedMessage& heard) {
  std::vector<std::string> heads;
  for (const Frame& frame : heard.frames) heads.push_back(frame.head);
  return heads;
}

// Two that are open, and whose greetings have come.
struct LinkPair {
  LinkPair() {
    a.link->Open(/*greet=*/false);
    b.link->Open(/*greet=*/true);
    a.link->EndRead(b.link->EndWrite());
  }
  End a{1};
  End b{2};
};

TEST_CASE("who was dialled says at once whose link it is, and what has arrived") {
  End b{7};
  b.arrivals->last = 3;
  b.link->Open(/*greet=*/true);
  REQUIRE(b.link->writing());
  End a{8};
  a.link->Open(/*greet=*/false);
  CHECK_FALSE(a.link->writing());
  a.link->EndRead(b.link->EndWrite());
  REQUIRE(a.heard.size() == 1);
  CHECK(a.heard[0].life == 7);
  CHECK(a.heard[0].acknowledged == 3);
  CHECK(a.heard[0].frames.empty());
}

TEST_CASE("frames leave in the order written, numbered, as many in a message as there are by then (GL1, GL2)") {
  LinkPair pair;
  pair.a.link->Begin(5);
  for (const char* head : {"5", "6", "7"}) pair.a.link->Write({head, {}});
  pair.b.link->EndRead(pair.a.link->EndWrite());
  REQUIRE(pair.a.link->writing());
  pair.b.link->EndRead(pair.a.link->EndWrite());
  CHECK_FALSE(pair.a.link->writing());
  REQUIRE(pair.b.heard.size() == 2);
  CHECK(pair.b.heard[0].first == 5);
  CHECK(Heads(pair.b.heard[0]) == std::vector<std::string>{"5"});
  CHECK(pair.b.heard[1].first == 6);
  CHECK(Heads(pair.b.heard[1]) == std::vector<std::string>{"6", "7"});
}

TEST_CASE("a frame that is longer than a message is put together again") {
  LinkPair pair;
  pair.a.link->Begin(1);
  const std::string head(3 << 20, 'x');
  pair.a.link->Write({head, {}});
  while (pair.a.link->writing()) pair.b.link->EndRead(pair.a.link->EndWrite());
  REQUIRE(pair.b.heard.size() > 2);
  CHECK(pair.b.heard.front().frames.empty());
  REQUIRE(pair.b.heard.back().frames.size() == 1);
  CHECK(pair.b.heard.back().first == 1);
  CHECK(pair.b.heard.back().frames[0].head == head);
}

TEST_CASE("it has room for 2 MiB, and says when half of that has left (GL5)") {
  LinkPair pair;
  pair.a.link->Begin(1);
  int written = 1;
  while (pair.a.link->Write({std::string(100 << 10, 'x'), {}})) ++written;
  CHECK(written == 22);  // the first of them is on its way
  while (pair.a.rooms == 0) {
    REQUIRE(pair.a.link->writing());
    pair.b.link->EndRead(pair.a.link->EndWrite());
  }
  REQUIRE(pair.a.link->writing());  // there was something to go on with
  CHECK(pair.a.link->Write({"more", {}}));
  while (pair.a.link->writing()) pair.b.link->EndRead(pair.a.link->EndWrite());
  CHECK(pair.a.rooms == 1);
  size_t heard = 0;
  for (const ReceivedMessage& message : pair.b.heard) heard += message.frames.size();
  CHECK(heard == static_cast<size_t>(written) + 1);
}

TEST_CASE("where numbers are left out a message says so, and no frame before it is counted among those (GL2)") {
  LinkPair pair;
  pair.a.link->Begin(1);
  for (const char* head : {"1", "2", "3"}) pair.a.link->Write({head, {}});
  pair.a.link->Begin(7);
  for (const char* head : {"7", "8"}) pair.a.link->Write({head, {}});
  while (pair.a.link->writing()) pair.b.link->EndRead(pair.a.link->EndWrite());
  REQUIRE(pair.b.heard.size() == 3);
  CHECK(pair.b.heard[1].first == 2);
  CHECK(Heads(pair.b.heard[1]) == std::vector<std::string>{"2", "3"});
  CHECK(pair.b.heard[2].first == 7);
  CHECK(Heads(pair.b.heard[2]) == std::vector<std::string>{"7", "8"});
}

TEST_CASE("arrivals are told with the next message, or by themselves when they are to be, once (GL4)") {
  LinkPair pair;
  pair.a.arrivals->last = 4;
  pair.a.link->Begin(1);
  pair.a.link->Write({"frame", {}});
  pair.b.link->EndRead(pair.a.link->EndWrite());
  CHECK(pair.b.heard[0].acknowledged == 4);
  pair.a.link->Acknowledge();
  CHECK_FALSE(pair.a.link->writing());
  pair.a.arrivals->last = 5;
  pair.a.link->Acknowledge();
  REQUIRE(pair.a.link->writing());
  pair.b.link->EndRead(pair.a.link->EndWrite());
  CHECK(pair.b.heard[1].acknowledged == 5);
  CHECK(pair.b.heard[1].frames.empty());
}

TEST_CASE("its end is told once, when nothing is under way any more (GL3)") {
  LinkPair pair;
  pair.a.link->Begin(1);
  pair.a.link->Write({"never sent", {}});
  pair.a.link->BreakRead();
  CHECK_FALSE(pair.a.link->finishing());  // something is still being written
  pair.a.link->EndWrite(false);
  REQUIRE(pair.a.link->finishing());
  CHECK(pair.a.gone.empty());
  pair.a.link->EndFinish();
  REQUIRE(pair.a.gone.size() == 1);
  CHECK(pair.a.gone[0].message() == "it broke");
  pair.a.link->Write({"dropped", {}});
  CHECK_FALSE(pair.a.link->writing());
}

TEST_CASE("what makes no sense ends the link, with that as its reason") {
  const auto message = [](const std::string& bytes) {
    const grpc::Slice slice(bytes);
    return grpc::ByteBuffer(&slice, 1);
  };
  const std::string frame = FramePrefix({"x", {}}) + "x";
  const std::string no_number = std::string(1, '\0') + frame;
  for (const std::string& bytes : {std::string("\x7f"), std::string(), std::string("\x01not compressed"), no_number}) {
    LinkPair pair;
    pair.a.link->EndRead(message(bytes));
    CHECK(pair.a.link->cancelled);
    CHECK(pair.a.heard.size() == 1);  // the greeting
    pair.a.link->BreakRead();
    pair.a.link->EndFinish();
    REQUIRE(pair.a.gone.size() == 1);
    CHECK(absl::IsInvalidArgument(pair.a.gone[0]));
  }
}

}  // namespace
}  // namespace twinkle::rpc

// The transport between real processes, over real sockets.
#include "runtime/rpc/grpc/grpc_transport.h"

#include <absl/strings/str_cat.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/rpc/place.h"
#include "runtime/rpc/secret.h"
#include "tests/integration/rpc/grpc_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/transport_conformance.h"
#include "tests/support/wire.h"

namespace twinkle::rpc {
namespace {

void RunChecks(Way way) {
  for (const TransportCheck& check : TransportChecks()) {
    DYNAMIC_SECTION(check.name) {
      GrpcFixture fixture(way);
      check.run(fixture);
    }
  }
}
TEST_CASE("gRPC over Unix sockets does what every transport must (TR1-TR6)") { RunChecks(Way::kUnix); }
TEST_CASE("gRPC over TCP does what every transport must (TR1-TR6)") { RunChecks(Way::kTcp); }
TEST_CASE("gRPC over wires that break does what every transport must (TR1-TR6)") { RunChecks(Way::kWires); }

// ---- what only this one has --------------------------------------------------------------------
class Losses final : public Receiver {
 public:
  void OnFrame(ProcessId, Stream, Frame frame) override {
    head = std::move(frame.head);
    ++frames;
    arrived.Set();
  }
  void OnLost(ProcessId peer, const absl::Status& status) override {
    lost = peer;
    why = status;
    gone.Set();
  }
  base::Event arrived, gone, cut;
  std::atomic<int> frames = 0;
  std::string head;
  ProcessId lost = 0;
  absl::Status why;
};

struct Member {
  explicit Member(ProcessId id, const std::string& secret = kSecret, GrpcOptions options = {},
                  GrpcTransport::Introducer introducer = {}) {
    options.self = id;
    options.secret = secret;
    options.socket = NewSocketName();
    target = options.socket;
    transport = *GrpcTransport::Listen(options);
    transport->SetEvents(std::move(introducer), [this](ProcessId, const absl::Status&) { losses.cut.Set(); });
    transport->Start(&losses, queue.get());
  }
  ~Member() {
    transport->Close();
    queue->Close();
  }
  const std::unique_ptr<base::Executor> executor = base::NewThreadExecutor();
  const std::unique_ptr<base::TaskQueue> queue = executor->NewQueue("member");
  Losses losses;
  std::string target;
  std::unique_ptr<GrpcTransport> transport;
};

base::Instant Soon() { return base::Now() + absl::Seconds(30); }

TEST_CASE("who does not know the secret is refused, and told so") {
  Member a(1, "another secret");
  Member b(2);
  a.transport->Introduce(2, {b.target});
  REQUIRE(a.transport->Send(2, Stream::kData, Frame{"let me in", {}}).ok());
  REQUIRE(a.losses.gone.WaitUntil(Soon()));
  CHECK(a.losses.lost == 2);
  CHECK(a.losses.why.message().find("secret") != absl::string_view::npos);
  CHECK_FALSE(b.losses.arrived.IsSet());
}

TEST_CASE("two that speak different protocols lose each other at once, and hear both numbers") {
  Member a(1, kSecret, {.protocol = kProtocol + 1});
  Member b(2);
  a.transport->Introduce(2, {b.target});
  REQUIRE(a.transport->Send(2, Stream::kData, Frame{"from the future", {}}).ok());
  REQUIRE(a.losses.gone.WaitUntil(Soon()));
  CHECK(a.losses.why.message() ==
        "the connection to it broke: this process speaks protocol 1, and who calls it protocol 2: install one build of "
        "Twinkle on all machines");
  CHECK_FALSE(b.losses.arrived.IsSet());
}

TEST_CASE("a process of another job shows a ticket") {
  Member a(1, "another secret");
  Member b(2);
  a.transport->Introduce(2, {b.target, TicketFor(kSecret, /*job=*/0)});
  REQUIRE(a.transport->Send(2, Stream::kData, Frame{"with a ticket", {}}).ok());
  REQUIRE(b.losses.arrived.WaitUntil(Soon()));
  REQUIRE(b.transport->Send(1, Stream::kControl, Frame{"welcome", {}}).ok());  // by the connection that there is
  REQUIRE(a.losses.arrived.WaitUntil(Soon()));
  CHECK(a.losses.head == "welcome");
}

TEST_CASE("a ticket of another job's serves nobody else") {
  Member a(1, "another secret");
  Member b(2);
  a.transport->Introduce(2, {b.target, TicketFor(kSecret, /*job=*/5)});
  REQUIRE(a.transport->Send(2, Stream::kData, Frame{"with a stolen ticket", {}}).ok());
  REQUIRE(a.losses.gone.WaitUntil(Soon()));
  CHECK_FALSE(b.losses.arrived.IsSet());
}

TEST_CASE("the ticket of commands opens no stream, whichever job the caller says it is of") {
  for (const ProcessId caller : {ProcessId{1}, (ProcessId{3} << kProcessBits) + 1}) {
    Member a(caller, "another secret");
    Member b(2);
    a.transport->Introduce(2, {b.target, CommandTicket(kSecret)});
    REQUIRE(a.transport->Send(2, Stream::kControl, Frame{"abort a group", {}}).ok());
    REQUIRE(a.losses.gone.WaitUntil(Soon()));
    CHECK_FALSE(b.losses.arrived.IsSet());
  }
}

TEST_CASE("a process of another job that was not introduced is asked for, once") {
  constexpr ProcessId kOther = (ProcessId{7} << kProcessBits) + 2;
  Member b(kOther, kSecret);
  int asked = 0;
  Member a(1, "another secret", {}, [&](ProcessId id, auto done) {
    ++asked;
    CHECK(id == kOther);
    done(GrpcTransport::Introduction{b.target, TicketFor(kSecret, /*job=*/0)});
  });
  REQUIRE(a.transport->Send(kOther, Stream::kData, Frame{"who are you?", {}}).ok());
  REQUIRE(a.transport->Send(kOther, Stream::kData, Frame{"still there?", {}}).ok());
  REQUIRE(b.losses.arrived.WaitUntil(Soon()));
  CHECK(asked == 1);
}

TEST_CASE("a process of another job of which nobody knows is lost, with what was said of it") {
  Member a(1, kSecret, {}, [&](ProcessId, auto done) { done(absl::NotFoundError("job 7 has ended")); });
  REQUIRE(a.transport->Send(ProcessId{7} << kProcessBits, Stream::kData, Frame{"anybody?", {}}).ok());
  REQUIRE(a.losses.gone.WaitUntil(Soon()));
  CHECK(a.losses.why.message() == "job 7 has ended");
}

TEST_CASE("frames wait until the peer is introduced") {
  Member a(1);
  Member b(2);
  REQUIRE(a.transport->Send(2, Stream::kData, Frame{"early", {}}).ok());
  a.transport->Introduce(2, {b.target});
  REQUIRE(b.losses.arrived.WaitUntil(Soon()));
  CHECK(b.losses.head == "early");
}

TEST_CASE("a peer that is never introduced is lost after a while") {
  Member a(1, kSecret, {.introduction_limit = absl::Milliseconds(20)});
  REQUIRE(a.transport->Send(7, Stream::kData, Frame{"anybody?", {}}).ok());
  REQUIRE(a.losses.gone.WaitUntil(Soon()));
  CHECK(a.losses.lost == 7);
}

TEST_CASE("a connection that breaks without a verdict is the peer's end after a while") {
  Member a(1, kSecret, {.redial = {.verdict = absl::Milliseconds(20)}});
  auto b = std::make_unique<Member>(2);
  a.transport->Introduce(2, {b->target});
  REQUIRE(a.transport->Send(2, Stream::kData, Frame{"hello", {}}).ok());
  REQUIRE(b->losses.arrived.WaitUntil(Soon()));
  b.reset();
  REQUIRE(a.losses.gone.WaitUntil(Soon()));
  CHECK(a.losses.lost == 2);
  CHECK(absl::IsUnavailable(a.transport->Send(2, Stream::kData, Frame{"gone?", {}})));
}

// ---- connections that break
bool Await(const std::function<bool()>& there) {
  const base::Instant deadline = Soon();
  while (!there() && base::Now() < deadline) std::this_thread::yield();
  return there();
}

TEST_CASE("a connection that breaks amid frames, after whatever number of bytes, loses nothing") {
  Member a(1);
  Member b(2, kSecret, {.host = "127.0.0.1"});
  Wire wire(b.transport->port());
  a.transport->Introduce(2, {absl::StrCat("127.0.0.1:", wire.port())});
  wire.ResetEvery(9001);  // enough for a connection to be made, and for a part of what is to be sent
  int sent = 0;
  while (wire.connections() < 6) {
    for (int i = 0; i < 50; ++i) REQUIRE(a.transport->Send(2, Stream::kData, {std::to_string(++sent), {}}).ok());
    REQUIRE(Await([&] { return b.losses.frames.load() >= sent; }));
  }
  wire.ResetEvery(0);
  REQUIRE(a.transport->Send(2, Stream::kData, {"the last", {}}).ok());
  REQUIRE(Await([&] { return b.losses.frames.load() > sent; }));
  CHECK(b.losses.frames.load() == sent + 1);
  CHECK_FALSE(a.losses.gone.IsSet());
  CHECK_FALSE(b.losses.gone.IsSet());
}

TEST_CASE("what came alone is let go of by its sender after a while, though nobody answers") {
  Member a(1);
  Member b(2);
  a.transport->Introduce(2, {b.target});
  const auto kept = std::make_shared<const std::string>(size_t{100} << 10, 'x');
  Frame frame{"alone", {{reinterpret_cast<const std::byte*>(kept->data()), kept->size(), kept}}};
  REQUIRE(a.transport->Send(2, Stream::kData, std::move(frame)).ok());
  REQUIRE(b.losses.arrived.WaitUntil(Soon()));
  CHECK(Await([&] { return kept.use_count() == 1; }));
}

TEST_CASE("two that cannot reach each other any more lose each other, and it is told as that") {
  const GrpcOptions options{.host = "127.0.0.1", .redial = {.silence = absl::Milliseconds(300)}};
  Member a(1, kSecret, options);
  Member b(2, kSecret, options);
  Wire wire(b.transport->port());
  a.transport->Introduce(2, {absl::StrCat("127.0.0.1:", wire.port())});
  REQUIRE(a.transport->Send(2, Stream::kData, {"hello", {}}).ok());
  REQUIRE(b.losses.arrived.WaitUntil(Soon()));
  wire.Unplug();
  REQUIRE(a.losses.gone.WaitUntil(Soon()));
  REQUIRE(b.losses.gone.WaitUntil(Soon()));
  CHECK_THAT(std::string(a.losses.why.message()), Catch::Matchers::ContainsSubstring("nobody listens there"));
  CHECK_THAT(std::string(b.losses.why.message()), Catch::Matchers::ContainsSubstring("has said nothing"));
  CHECK(b.losses.cut.WaitUntil(Soon()));
}

TEST_CASE("who has lost a peer refuses it, so that it is lost to both (GT2)") {
  Member a(1);
  Member b(2);
  a.transport->Introduce(2, {b.target});
  b.transport->Introduce(1, {a.target});
  REQUIRE(a.transport->Send(2, Stream::kData, {"hello", {}}).ok());
  REQUIRE(b.losses.arrived.WaitUntil(Soon()));
  a.transport->Lose(2, absl::UnavailableError("it is said to be gone"));
  REQUIRE(b.losses.gone.WaitUntil(Soon()));
  CHECK_THAT(std::string(b.losses.why.message()), Catch::Matchers::ContainsSubstring("counts as lost"));
  CHECK(absl::IsUnavailable(b.transport->Send(1, Stream::kData, {"still there?", {}})));
  CHECK_FALSE(b.losses.cut.IsSet());  // who lost it first has said so
}

TEST_CASE("another process in the place of one that is gone is not taken for it") {
  Member a(1);
  Member other(3);
  a.transport->Introduce(2, {other.target});
  REQUIRE(a.transport->Send(2, Stream::kData, {"are you 2?", {}}).ok());
  REQUIRE(a.losses.gone.WaitUntil(Soon()));
  CHECK_THAT(std::string(a.losses.why.message()), Catch::Matchers::ContainsSubstring("another process, 3"));
  CHECK_FALSE(other.losses.arrived.IsSet());
}

TEST_CASE("listening where nobody can is Unavailable") {
  const auto transport = GrpcTransport::Listen({.self = 1, .host = "192.0.2.1", .secret = kSecret});
  CHECK(absl::IsUnavailable(transport.status()));
}

}  // namespace
}  // namespace twinkle::rpc

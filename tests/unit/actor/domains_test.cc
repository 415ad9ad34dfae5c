// The order of calls in one process of a domain, without the calls: what is sent, and whose turn it is.
#include "runtime/actor/domains.h"

#include <absl/strings/str_cat.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::actor {
namespace {

constexpr uint64_t kDomain = 50;
constexpr rpc::ProcessId kAnn = 21, kBob = 22;     // callers
constexpr rpc::ProcessId kFirst = 1, kSecond = 2;  // the domain's processes

// What was sent, to whom.
class SentMessages final : public rpc::Transport {
 public:
  absl::Status Send(rpc::ProcessId to, rpc::Stream, rpc::Frame frame) override {
    CHECK(DecodeMessage(frame, &sent.emplace_back(to, Message()).second).ok());
    return absl::OkStatus();
  }
  void Start(rpc::Receiver*, base::TaskQueue*) override {}
  void Lose(rpc::ProcessId, const absl::Status&) override {}
  void Close() override {}
  // The only message since the last time.
  template <class M>
  M Only(rpc::ProcessId to) {
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].first == to);
    const auto all = std::exchange(sent, {});
    return std::get<M>(all[0].second);
  }

  std::vector<std::pair<rpc::ProcessId, Message>> sent;
};

struct DomainsFixture : Domains::Listener {
  DomainsFixture() { services.transport = &transport; }

  void OnTurn(const Domains::CallPtr& call) override { events.push_back(absl::StrCat("call ", call->message.call)); }
  void OnSkipped(uint64_t, uint64_t number) override { events.push_back(absl::StrCat("skip ", number)); }
  absl::Status WhyGone(uint64_t domain) const override {
    const auto found = gone.find(domain);
    return found == gone.end() ? absl::OkStatus() : found->second;
  }

  void Arrive(rpc::ProcessId from, uint64_t call, uint64_t number, uint64_t after = 0) {
    auto arrived = std::make_shared<IncomingCall>();
    arrived->message.call = call;
    domains.Arrive(from, {kDomain, number, after}, arrived);
  }
  void Lose(rpc::ProcessId peer) {
    lost.Add(peer, absl::UnavailableError("killed"));
    domains.OnLost(peer);
  }

  SentMessages transport;
  Services services;
  LostPeers lost;
  std::map<uint64_t, absl::Status> gone;
  std::vector<std::string> events;
  Domains domains{&services, &lost, this};
};

using Events = std::vector<std::string>;

TEST_CASE("calls have their turn in the order of their numbers, those without one after their caller's last (DO1)") {
  DomainsFixture f;
  f.Arrive(kBob, 7, 2);
  f.Arrive(kAnn, 8, 0, /*after=*/1);
  CHECK(f.events.empty());
  f.Arrive(kAnn, 6, 1);
  CHECK(f.events == Events{"call 6", "call 8", "call 7"});
  CHECK(f.domains.size() == 1);
}

TEST_CASE("a number that a lost caller leaves is told of before the calls behind it have their turn") {
  DomainsFixture f;
  f.Arrive(kBob, 7, 3);
  f.domains.OnSkip(kFirst, {kDomain, /*own=*/false, {1, 2}});
  CHECK(f.events == Events{"skip 1", "skip 2", "call 7"});
}

TEST_CASE("numbers that their caller gives back itself end no call") {
  DomainsFixture f;
  f.domains.OnSkip(kBob, {kDomain, /*own=*/true, {1}});
  f.Arrive(kBob, 7, 2);
  CHECK(f.events == Events{"call 7"});
}

TEST_CASE("what arrived last from a caller is said when it is lost here, too, and once (DO2)") {
  DomainsFixture f;
  f.Arrive(kAnn, 6, 4);
  f.domains.OnLastQuery(kFirst, {kDomain, kAnn});
  f.Lose(kBob);
  CHECK(f.transport.sent.empty());  // frames of Ann may still come
  f.Arrive(kAnn, 7, 5);
  f.Lose(kAnn);
  CHECK(f.transport.Only<LastReply>(kFirst).last == 5);
  f.Lose(kBob);
  CHECK(f.transport.sent.empty());
  f.domains.OnLastQuery(kFirst, {kDomain, kAnn});  // it knows by now
  CHECK(f.transport.Only<LastReply>(kFirst).last == 5);
}

TEST_CASE("numbers that a caller gave back count as arrived, so that nobody skips them again (DO2)") {
  DomainsFixture f;
  f.domains.OnSkip(kAnn, {kDomain, /*own=*/true, {1, 2, 3}});
  f.Lose(kAnn);
  f.domains.OnLastQuery(kFirst, {kDomain, kAnn});
  CHECK(f.transport.Only<LastReply>(kFirst).last == 3);
}

TEST_CASE("the first process of a domain hands out numbers, and settles those of a lost caller with all members") {
  DomainsFixture f;
  f.domains.OnNumberRequest(kAnn, {kDomain, 1, {kFirst, kSecond}});
  CHECK(f.transport.Only<NumberGrant>(kAnn).exclusive);
  f.domains.OnNumberRequest(kBob, {kDomain, 1, {kFirst, kSecond}});
  f.transport.Only<RecallMessage>(kAnn);
  f.Lose(kAnn);
  REQUIRE(f.transport.sent.size() == 2);  // both members are asked
  for (const auto& [to, message] : std::exchange(f.transport.sent, {})) {
    CHECK(std::get<LastQuery>(message).caller == kAnn);
  }
  f.domains.OnLastReply({kDomain, kAnn, 1});
  f.domains.OnLastReply({kDomain, kAnn, 0});
  REQUIRE(f.transport.sent.size() == 3);
  CHECK(std::get<SkipMessage>(f.transport.sent[0].second).numbers == std::vector<uint64_t>{1});
  CHECK(std::get<NumberGrant>(f.transport.sent[2].second).first == 2);
}

TEST_CASE(
    "Forget tells those who have numbers, or wait for some; who comes later hears why, and revives nothing (DO1)") {
  DomainsFixture f;
  f.domains.OnNumberRequest(kAnn, {kDomain, 1, {kFirst}});
  f.domains.OnNumberRequest(kBob, {kDomain, 1, {kFirst}});
  f.transport.sent.clear();
  f.gone[kDomain] = absl::FailedPreconditionError("the component was released");
  f.domains.Forget(kDomain, f.gone[kDomain]);
  REQUIRE(f.transport.sent.size() == 2);
  for (const auto& [to, message] : std::exchange(f.transport.sent, {})) {
    CHECK(FromWire(std::get<ReleasedMessage>(message).why) == f.gone[kDomain]);
  }
  f.domains.OnNumberRequest(kBob, {kDomain, 1, {kFirst}});
  CHECK(f.transport.Only<ReleasedMessage>(kBob).component == kDomain);
  f.domains.OnSkip(kBob, {kDomain, true, {1}});
  f.domains.OnLastQuery(kSecond, {kDomain, kAnn});
  CHECK(f.transport.Only<LastReply>(kSecond).last == 0);
  CHECK(f.domains.size() == 0);
}

}  // namespace
}  // namespace twinkle::actor

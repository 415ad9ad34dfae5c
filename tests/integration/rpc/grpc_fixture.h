// Processes that talk over gRPC, for the conformance suite.
#pragma once

#include <absl/strings/str_cat.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "runtime/rpc/grpc/grpc_transport.h"
#include "runtime/rpc/place.h"
#include "tests/support/catch.h"
#include "tests/support/transport_conformance.h"
#include "tests/support/wire.h"

namespace twinkle::rpc {

inline constexpr char kSecret[] = "0123456789abcdef";

enum class Way { kUnix, kTcp, kWires };

// Plays the node daemon: introduces everybody to everybody and says who is gone.
class GrpcFixture : public TransportFixture {
 public:
  explicit GrpcFixture(Way way) : way_(way) {}

  std::unique_ptr<Transport> Join(ProcessId id) override {
    const bool tcp = way_ != Way::kUnix;
    GrpcOptions options{.self = id, .socket = NewSocketName(), .host = tcp ? "127.0.0.1" : "", .secret = kSecret};
    auto transport = GrpcTransport::Listen(options);
    REQUIRE(transport.ok());
    Member& mine = members_[id];
    mine = {transport->get(), options.socket, (*transport)->port()};
    for (auto& [other, member] : members_) {
      if (other == id) continue;
      member.transport->Introduce(id, {TargetOf(other, id)});
      (*transport)->Introduce(other, {TargetOf(id, other)});
    }
    return std::make_unique<Leaving>(this, id, *std::move(transport));
  }

  void Kill(ProcessId id) override { Leave(id, "it was killed"); }
  bool HoldData(ProcessId, ProcessId) override { return false; }
  void ReleaseData(ProcessId, ProcessId) override {}
  void Cut(ProcessId a, ProcessId b) override {
    for (const auto& ends : {std::pair(a, b), std::pair(b, a)}) {
      if (const auto wire = wires_.find(ends); wire != wires_.end()) wire->second->Reset();
    }
  }

 private:
  struct Member {
    GrpcTransport* transport = nullptr;
    std::string socket;
    int port = 0;
  };
  // Tells the others when it closes.
  class Leaving final : public Transport {
   public:
    Leaving(GrpcFixture* fixture, ProcessId id, std::unique_ptr<GrpcTransport> transport)
        : fixture_(*fixture), id_(id), transport_(std::move(transport)) {}
    ~Leaving() override { Close(); }
    void Start(Receiver* receiver, base::TaskQueue* queue) override { transport_->Start(receiver, queue); }
    absl::Status Send(ProcessId to, Stream stream, Frame frame) override {
      return transport_->Send(to, stream, std::move(frame));
    }
    void Lose(ProcessId peer, const absl::Status& why) override { transport_->Lose(peer, why); }
    void Close() override { fixture_.Leave(id_, "it has ended"); }

   private:
    GrpcFixture& fixture_;
    const ProcessId id_;
    const std::unique_ptr<GrpcTransport> transport_;
  };

  std::string TargetOf(ProcessId from, ProcessId to) {
    const Member& member = members_[to];
    if (way_ == Way::kUnix) return member.socket;
    if (way_ == Way::kTcp) return absl::StrCat("127.0.0.1:", member.port);
    auto& wire = wires_[{from, to}];
    wire = std::make_unique<Wire>(member.port);
    return absl::StrCat("127.0.0.1:", wire->port());
  }

  void Leave(ProcessId id, const std::string& why) {
    const auto member = members_.find(id);
    if (member == members_.end()) return;
    member->second.transport->Close();
    members_.erase(member);
    for (auto& [other, peer] : members_) peer.transport->Lose(id, absl::UnavailableError(why));
  }

  const Way way_;
  std::map<ProcessId, Member> members_;
  std::map<std::pair<ProcessId, ProcessId>, std::unique_ptr<Wire>> wires_;
};

}  // namespace twinkle::rpc

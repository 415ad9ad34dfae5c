// Ranks that have nothing but a communicator: on a network in memory, with threads or stepped by hand.
#pragma once

#include <absl/strings/str_cat.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/executor.h"
#include "runtime/codec/codec.h"
#include "runtime/collective/collectives.h"
#include "runtime/collective/communicator_core.h"
#include "runtime/rpc/in_memory_network.h"
#include "tests/support/catch.h"

namespace twinkle::collective {

// A process with one component, number 1. Its calls are numbered 1, 2, …
class NetRank final : public rpc::Receiver, public Wire {
 public:
  NetRank(rpc::InMemoryNetwork* network, base::Executor* executor, Members members, const Meeting::Options& options)
      : members_(std::move(members)),
        collectives_(
            this,
            [this](const Packet& packet) {
              return packet.key.epoch <= over_ ? Collectives::CallState::kOver : Collectives::CallState::kOpen;
            },
            options),
        queue_(executor->NewQueue(absl::StrCat("rank.", members_.self))),
        transport_(network->Join(id())) {
    transport_->Start(this, queue_.get());
  }
  ~NetRank() override {
    transport_->Close();
    queue_->Close();
  }

  rpc::ProcessId id() const { return members_.processes[static_cast<size_t>(members_.self)]; }
  Collectives& collectives() { return collectives_; }
  base::Cancellation& cancellation() { return *method_.cancellation; }

  // Its method begins; what it uses there.
  void Begin(uint64_t epoch) {
    method_ = {.epoch = epoch, .caller = 99, .call = epoch, .cancellation = std::make_shared<base::Cancellation>()};
  }
  std::shared_ptr<Meeting> Meet() { return collectives_.Open({1, "", method_.epoch}, method_, members_); }
  Communicator Use() {
    return Communicator(std::make_shared<internal::CommunicatorCore>(
        members_, [this] { return std::optional(method_); }, [this](const RunningMethod&) { return Meet(); }));
  }
  // Its method ends, with that.
  void End(absl::Status outcome = absl::OkStatus()) {
    queue_->Post([this, epoch = method_.epoch, outcome = std::move(outcome)] {
      collectives_.OnCallOver(1, epoch, outcome);
      over_ = epoch;
    });
  }

  // Wire
  void Send(rpc::ProcessId to, Packet packet) override {
    transport_->Send(to, rpc::Stream::kData, Encoded(packet)).IgnoreError();
  }
  std::string PlaceOf(rpc::ProcessId process) const override { return absl::StrCat("host, pid ", process); }
  // Receiver
  void OnFrame(rpc::ProcessId from, rpc::Stream, rpc::Frame frame) override {
    Packet packet;
    REQUIRE(codec::Decode(internal::kType<Packet>, &packet, frame.head, frame.buffers).ok());
    collectives_.OnPacket(from, std::move(packet));
  }
  void OnLost(rpc::ProcessId peer, const absl::Status& why) override { collectives_.OnLost(peer, why); }

 private:
  static rpc::Frame Encoded(const Packet& packet) {
    return codec::Encode({&internal::kType<Packet>, std::make_shared<Packet>(packet)}).value();
  }

  const Members members_;
  RunningMethod method_;
  uint64_t over_ = 0;  // on the queue
  Collectives collectives_;
  const std::unique_ptr<base::TaskQueue> queue_;
  const std::unique_ptr<rpc::Transport> transport_;
};

// All ranks of it.
class NetRanks {
 public:
  // `machines`: of each rank.
  NetRanks(base::Executor* executor, const std::vector<uint64_t>& machines, const Meeting::Options& options = {}) {
    Members members;
    for (size_t rank = 0; rank < machines.size(); ++rank) {
      members.processes.push_back(rank + 1);
      members.ranks.push_back(static_cast<int>(rank));
    }
    members.machines = machines;
    for (size_t rank = 0; rank < machines.size(); ++rank) {
      members.self = static_cast<int>(rank);
      ranks_.push_back(std::make_unique<NetRank>(&network_, executor, members, options));
    }
  }
  NetRank& operator[](size_t rank) { return *ranks_[rank]; }
  size_t size() const { return ranks_.size(); }
  rpc::InMemoryNetwork& network() { return network_; }
  void Begin(uint64_t epoch) {
    for (const auto& rank : ranks_) rank->Begin(epoch);
  }

 private:
  rpc::InMemoryNetwork network_;
  std::vector<std::unique_ptr<NetRank>> ranks_;
};

}  // namespace twinkle::collective

// PairTask: a Send or a Recv.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "runtime/collective/task.h"

namespace twinkle::collective {

// What a peer has said, by the operation's number in that direction, maybe before that was issued here.
struct PairMail {
  std::map<uint64_t, Packet> ready;  // for this rank's Sends
  std::map<uint64_t, Packet> given;  // for its Recvs
};

// A Recv says that it is ready, and takes what is given; a Send waits for the former. So both have compared their
// records before either has ended. Invariant:
//  PT1 nothing is sent before there is a Recv for it.
class PairTask final : public Task {
 public:
  // All outlive it. The record's root is the peer; `mail` is that peer's.
  PairTask(Record record, uint64_t sequence, Tensor input, PairMail* mail, const SendTo* send)
      : Task(std::move(record), sequence, std::move(input)), mail_(*mail), send_(*send) {}

  absl::Status Advance(bool* further) override;
  std::vector<int> WaitsFor() const override { return {record_.root}; }

 private:
  absl::Status Give(const Packet& ready);
  absl::Status Take(const Packet& given);

  PairMail& mail_;
  const SendTo& send_;
};

}  // namespace twinkle::collective

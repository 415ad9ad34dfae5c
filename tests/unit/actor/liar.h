// A process that answers whatever it is sent with the same bytes.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tests/support/stepped_job.h"

namespace twinkle::actor::steps {

// Stands in for a rank, and answers what it is told to.
class Liar final : public rpc::Receiver {
 public:
  Liar(const tests::SteppedJob& job, rpc::ProcessId id, std::string answer)
      : answer_(std::move(answer)),
        queue_(job.executor().NewQueue("liar")),
        transport_(job.network().Join(id, this, queue_.get())) {}

  void OnFrame(rpc::ProcessId from, rpc::Stream, rpc::Frame) override {
    transport_->Send(from, rpc::Stream::kData, {answer_, {}}).IgnoreError();
  }
  void OnLost(rpc::ProcessId, const absl::Status& why) override { lost_ = why; }
  const absl::Status& lost() const { return lost_; }

 private:
  const std::string answer_;
  const std::unique_ptr<base::TaskQueue> queue_;
  const std::unique_ptr<rpc::Transport> transport_;
  absl::Status lost_;
};

}  // namespace twinkle::actor::steps

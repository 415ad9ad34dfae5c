// A process that answers whatever it is sent with what a test wants.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/joined.h"
#include "tests/support/stepped_job.h"

namespace twinkle::actor::steps {

// Stands in for a rank, and answers what it is told to.
class Liar final : public rpc::Receiver {
 public:
  using Answer = std::function<std::string(const rpc::Frame& received)>;  // the head of what it sends

  // The same, whatever it is sent.
  Liar(const tests::SteppedJob& job, rpc::ProcessId id, std::string answer)
      : Liar(job, id, [answer = std::move(answer)](const rpc::Frame&) { return answer; }) {}
  Liar(const tests::SteppedJob& job, rpc::ProcessId id, Answer answer)
      : answer_(std::move(answer)),
        queue_(job.executor().NewQueue("liar")),
        transport_(rpc::JoinStarted(job.network(), id, this, queue_.get())) {}

  void OnFrame(rpc::ProcessId from, rpc::Stream, rpc::Frame frame) override {
    transport_->Send(from, rpc::Stream::kData, {answer_(frame), {}}).IgnoreError();
  }
  void OnLost(rpc::ProcessId, const absl::Status& why) override { lost_ = why; }
  const absl::Status& lost() const { return lost_; }

 private:
  const Answer answer_;
  const std::unique_ptr<base::TaskQueue> queue_;
  const std::unique_ptr<rpc::Transport> transport_;
  absl::Status lost_;
};

}  // namespace twinkle::actor::steps

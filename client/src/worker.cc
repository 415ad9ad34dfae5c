#include "client/src/worker.h"

#include <absl/strings/str_cat.h>

#include <string>
#include <utility>
#include <vector>

#include "runtime/actor/job.h"
#include "runtime/base/clock.h"
#include "runtime/base/cut_text.h"
#include "runtime/base/session_ended.h"
#include "runtime/base/status.h"
#include "runtime/rpc/protocol.h"

namespace twinkle::internal {

// The job as a worker process sees it: only its own process can be asked for.
class Worker::Job final : public actor::Job {
 public:
  explicit Job(std::shared_ptr<actor::Process> process) : process_(std::move(process)) {}
  const std::shared_ptr<actor::Process>& program() const override { return process_; }
  std::vector<mesh::PlacedGroup> Placed() const override { return {}; }
  bool WaitForCalls(base::Instant deadline) const override { return process_->WaitForCalls(deadline); }
  std::vector<std::string> CallsUnderWay(size_t most) const override { return process_->CallsUnderWay(most); }
  void Shutdown(const absl::Status& why) override {
    process_->BeginEnd();
    left_threads_ = !process_->Shutdown(why, base::Now() + process_->options().abort_grace);
  }
  // Whether threads were left in user code at the end.
  bool left_threads() const { return left_threads_; }
  absl::Status CloseFailures() override { return process_->failures().Close(); }

 private:
  const std::shared_ptr<actor::Process> process_;
  bool left_threads_ = false;
};

bool Worker::left_threads() const { return job_->left_threads(); }

void Worker::Tell(const v1::FromWorker& message) {
  base::MutexLock lock(&writing_);
  rpc::SendMessage(fd_, message).IgnoreError();
}

absl::Status Worker::Begin() {
  v1::ToWorker first;
  TWINKLE_RETURN_IF_ERROR(reader_.Next(&first).status());
  if (!first.has_role()) return absl::InternalError("the node daemon did not say who this process is");
  return Join(first.role());
}

absl::Status Worker::Join(const v1::WorkerRole& role) {
  TWINKLE_RETURN_IF_ERROR(rpc::CheckProtocol("the program's library", "the node's twinkle-worker",
                                             role.protocol() == 0 ? "" : absl::StrCat(role.protocol())));
  TWINKLE_ASSIGN_OR_RETURN(const WorkerSession session, DecodeSession(role.job().session()));
  const auto end_group = [this](rpc::ProcessId, const std::string& group, const absl::Status& why) {
    v1::FromWorker message;
    message.mutable_end_group()->set_group(group);
    message.mutable_end_group()->set_cause(base::CutText(why.message()));
    message.mutable_end_group()->set_cut(absl::IsUnavailable(why));
    Tell(message);
  };
  TWINKLE_ASSIGN_OR_RETURN(membership_, join_(role, session, end_group));
  InitializeOptions options;
  options.device_mesh = session.mesh;
  auto job = std::make_unique<Job>(membership_.process);
  job_ = job.get();
  session_ = std::make_shared<SessionState>(std::move(options), std::move(job));
  SessionState::Install(session_);
  v1::FromWorker listening;
  *listening.mutable_listening() = membership_.endpoint;
  Tell(listening);
  return absl::OkStatus();
}

absl::Status Worker::Serve() {
  while (true) {
    v1::ToWorker message;
    TWINKLE_RETURN_IF_ERROR(reader_.Next(&message).status());
    for (const v1::Process& peer : message.peers().processes()) membership_.introduce(peer);
    if (message.has_lost()) membership_.lose(message.lost());
    if (!message.has_stop()) continue;
    session_->EndNow(base::SessionEnded());
    return absl::OkStatus();
  }
}

}  // namespace twinkle::internal

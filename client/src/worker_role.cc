#include "client/src/worker_role.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "client/src/cluster_member.h"
#include "client/src/peer_table.h"
#include "client/src/session_state.h"
#include "client/src/worker_session.h"
#include "proto/twinkle/v1/local.pb.h"
#include "runtime/actor/job.h"
#include "runtime/base/clock.h"
#include "runtime/base/cut_text.h"
#include "runtime/base/executor.h"
#include "runtime/base/forked.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/threads.h"
#include "runtime/rpc/address.h"
#include "runtime/rpc/fd_channel.h"
#include "runtime/rpc/grpc_transport.h"
#include "runtime/rpc/place.h"
#include "runtime/rpc/secret.h"
#include "runtime/rpc/wire_limits.h"

namespace twinkle::internal {
namespace {

constexpr char kRoleVariable[] = "TWINKLE_ROLE_FD";

std::atomic<int>& RoleDescriptor() {
  static std::atomic<int> descriptor = -1;
  return descriptor;
}

// The job as a worker process sees it: only its own process can be asked for.
class WorkerJob final : public actor::Job {
 public:
  explicit WorkerJob(std::shared_ptr<actor::Process> process) : process_(std::move(process)) {}
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

// Everything that one worker process is made of.
class Worker {
 public:
  explicit Worker(int fd)
      : fd_(fd), reader_(fd), table_(std::make_shared<PeerTable>(rpc::ThisMachine(), rpc::ThisPids())) {}

  absl::Status Begin();
  // Until the job ends.
  absl::Status Serve();
  // After that: threads are still in user code, which exit handlers would run under.
  bool left_threads() const { return job_->left_threads(); }

 private:
  absl::Status Join(const v1::WorkerRole& role);
  void Tell(const v1::FromWorker& message);

  const int fd_;
  rpc::MessageReader reader_;
  base::Mutex writing_;  // one message at a time
  const std::shared_ptr<PeerTable> table_;
  rpc::GrpcTransport* transport_ = nullptr;  // the process's
  rpc::ProcessId self_ = 0;
  const WorkerJob* job_ = nullptr;  // the session's
  std::shared_ptr<SessionState> session_;
};

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
  TWINKLE_RETURN_IF_ERROR(base::TryThreads(1));
  const v1::StartJob& job = role.job();
  const v1::Process& self = role.process();
  TWINKLE_ASSIGN_OR_RETURN(const WorkerSession session, DecodeSession(job.session()));
  TWINKLE_ASSIGN_OR_RETURN(const rpc::WireLimits wires, rpc::WireLimitsOfEnvironment());  // the program's
  TWINKLE_ASSIGN_OR_RETURN(auto transport,
                           rpc::GrpcTransport::Listen({.self = self.id(),
                                                       .socket = rpc::NewSocketName(),
                                                       .host = job.listen_host(),
                                                       .secret = job.secret(),
                                                       .redial = wires.redial,
                                                       .keep_alive = wires.processes,
                                                       .compression = static_cast<Compression>(session.compression)}));
  transport_ = transport.get();
  self_ = self.id();
  v1::FromWorker listening;
  listening.mutable_listening()->set_socket(transport->socket());
  if (!job.listen_host().empty()) {
    listening.mutable_listening()->set_address(rpc::JoinHostPort(job.listen_host(), transport->port()));
  }
  auto groups = GroupsOf(job.groups(), job.program_process() + 1);
  actor::ProcessOptions options = OptionsFrom(session);
  options.job = rpc::JobKeyOf(job.secret());
  options.id = self.id();
  options.group = self.group();
  options.rank = self.rank();
  options.devices = {self.devices().begin(), self.devices().end()};
  options.place = absl::StrCat(rpc::ThisHost(), ", pid ", ::getpid());
  for (const actor::GroupInfo& group : groups) {
    if (group.name == options.group) options.group_workers = group.workers;
  }
  options.world_size = static_cast<int>(options.group_workers.size());

  ClusterMember member{std::move(transport),   table_,        std::move(groups), role.driver(), job.secret(),
                       session.prefault_bytes, wires.services};
  member.end_group = [this](rpc::ProcessId, const std::string& group, const absl::Status& why) {
    v1::FromWorker message;
    message.mutable_end_group()->set_group(group);
    message.mutable_end_group()->set_cause(base::CutText(why.message()));
    Tell(message);
  };
  const auto process = StartProcess(std::move(options), std::move(member));
  if (process == nullptr) return base::NoThread();
  InitializeOptions worker_options;
  worker_options.device_mesh = session.mesh;
  auto owned = std::make_unique<WorkerJob>(process);
  job_ = owned.get();
  session_ = std::make_shared<SessionState>(std::move(worker_options), std::move(owned));
  SessionState::Install(session_);
  Tell(listening);
  return absl::OkStatus();
}

absl::Status Worker::Serve() {
  while (true) {
    v1::ToWorker message;
    TWINKLE_RETURN_IF_ERROR(reader_.Next(&message).status());
    for (const v1::Process& peer : message.peers().processes()) {
      auto introduction = table_->Add(peer);
      if (peer.id() != self_) transport_->Introduce(peer.id(), std::move(introduction));
    }
    if (message.has_lost()) LoseAll(message.lost(), *transport_);
    if (!message.has_stop()) continue;
    session_->EndNow(absl::CancelledError("the session has ended"));
    return absl::OkStatus();
  }
}

}  // namespace

bool TakeWorkerRole() {
  const char* told = std::getenv(kRoleVariable);
  int fd = -1;
  if (told == nullptr || !absl::SimpleAtoi(told, &fd)) return false;
  ::unsetenv(kRoleVariable);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  RoleDescriptor() = fd;
  return true;
}

void ServeAsWorker() {
  base::WatchForks();
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  auto* worker = new Worker(RoleDescriptor());  // threads in user code may outlive it
  absl::Status served = worker->Begin();
  if (!served.ok()) {
    std::fprintf(stderr, "twinkle: this worker process cannot serve: %s\n", std::string(served.message()).c_str());
    std::_Exit(1);
  }
  served = worker->Serve();
  std::fflush(nullptr);
  base::FlushLog();
  // Without the daemon there is nobody to end this process, or to hear of it.
  if (!served.ok()) std::_Exit(1);
  if (worker->left_threads()) {
    std::fprintf(stderr, "twinkle: a method has not ended: this process ends without its exit handlers\n");
    std::_Exit(0);
  }
  std::exit(0);
}

}  // namespace twinkle::internal

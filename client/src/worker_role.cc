#include "client/src/worker_role.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/src/cluster_member.h"
#include "client/src/peer_table.h"
#include "client/src/worker.h"
#include "client/src/worker_session.h"
#include "proto/twinkle/v1/local.pb.h"
#include "runtime/base/executor.h"
#include "runtime/base/forked.h"
#include "runtime/base/log.h"
#include "runtime/base/shortage.h"
#include "runtime/base/status.h"
#include "runtime/base/threads.h"
#include "runtime/rpc/address.h"
#include "runtime/rpc/grpc/grpc_transport.h"
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

actor::ProcessOptions OptionsOf(const v1::WorkerRole& role, const WorkerSession& session,
                                const std::vector<actor::GroupInfo>& groups) {
  const v1::Process& self = role.process();
  actor::ProcessOptions options = OptionsFrom(session);
  options.job = rpc::JobKeyOf(role.job().secret());
  options.id = self.id();
  options.group = self.group();
  options.rank = self.rank();
  options.devices = {self.devices().begin(), self.devices().end()};
  options.place = rpc::ThisPlace();
  for (const actor::GroupInfo& group : groups) {
    if (group.name == options.group) options.group_workers = group.workers;
  }
  options.world_size = static_cast<int>(options.group_workers.size());
  return options;
}

// Notes what the program will have as a failure of its job (Losses), before a call here fails of it.
void NoteLosses(const v1::PeersLost& lost, uint64_t job, actor::Process& process) {
  if (lost.job() != job || lost.asked_for()) return;
  std::vector<rpc::ProcessId> processes;
  for (const v1::PeersLost::Loss& loss : lost.losses()) processes.push_back(loss.process());
  process.accounts().NoteLoss(processes, absl::AbortedError(lost.cause()));
}

absl::StatusOr<Membership> JoinOverGrpc(const v1::WorkerRole& role, const WorkerSession& session, EndGroup end_group) {
  TWINKLE_RETURN_IF_ERROR(base::CheckProcess());
  TWINKLE_RETURN_IF_ERROR(base::TryThreads(1));
  const v1::StartJob& job = role.job();
  TWINKLE_ASSIGN_OR_RETURN(const rpc::WireLimits wires, rpc::WireLimitsOfEnvironment());  // the program's
  TWINKLE_ASSIGN_OR_RETURN(auto transport,
                           rpc::GrpcTransport::Listen({.self = role.process().id(),
                                                       .socket = rpc::NewSocketName(),
                                                       .host = job.listen_host(),
                                                       .secret = job.secret(),
                                                       .redial = wires.redial,
                                                       .keep_alive = wires.processes,
                                                       .compression = static_cast<Compression>(session.compression)}));
  Membership membership;
  membership.endpoint.set_socket(transport->socket());
  if (!job.listen_host().empty()) {
    membership.endpoint.set_address(rpc::JoinHostPort(job.listen_host(), transport->port()));
  }
  auto groups = GroupsOf(job.groups(), job.program_process() + 1);
  actor::ProcessOptions options = OptionsOf(role, session, groups);
  const auto table = std::make_shared<PeerTable>(rpc::ThisMachine(), rpc::ThisPids());
  rpc::GrpcTransport* const wire = transport.get();  // the process's
  ClusterMember member{std::move(transport),   table,         std::move(groups), role.driver(), job.secret(),
                       session.prefault_bytes, wires.services};
  member.end_group = std::move(end_group);
  membership.process = StartProcess(std::move(options), std::move(member));
  if (membership.process == nullptr) return base::NoThread();
  membership.introduce = [table, wire, self = role.process().id()](const v1::Process& peer) {
    auto introduction = table->Add(peer);
    if (peer.id() != self) wire->Introduce(peer.id(), std::move(introduction));
  };
  membership.lose = [wire, process = membership.process, number = job.job()](const v1::PeersLost& lost) {
    NoteLosses(lost, number, *process);
    LoseAll(lost, *wire);
  };
  return membership;
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
  auto* worker = new Worker(RoleDescriptor(), JoinOverGrpc);  // threads in user code may outlive it
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

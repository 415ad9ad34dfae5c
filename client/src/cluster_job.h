// The program's side of a job on a cluster.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/session.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/src/job_talk.h"
#include "client/src/losses.h"
#include "client/src/peer_table.h"
#include "client/src/private_cluster.h"
#include "client/src/worker_output.h"
#include "runtime/actor/job.h"
#include "runtime/base/clock.h"
#include "runtime/base/end_limits.h"
#include "runtime/rpc/streams.h"
#include "runtime/rpc/wire_limits.h"

namespace twinkle::internal {

// How long others are waited for.
struct ClusterLimits {
  absl::Duration connect = absl::Seconds(10);  // a driver, until it answers
  // Beyond placement_timeout, which the driver keeps itself: for one that does not.
  absl::Duration placement_margin = absl::Seconds(15);
  rpc::WireLimits wires = {};                        // other machines, and processes to which a connection has broken
  absl::Duration account = absl::Seconds(2);         // ranks that are asked what they still have under way
  absl::Duration end_margin = base::kProgramMargin;  // the driver's word of the end, beyond abort_grace
};

class ClusterJob final : public actor::Job {
 public:
  // Has the job placed and its worker processes started; blocks until all of them serve. A line on stderr says what it
  // waits for. InvalidArgument as InProcessJob::Start; ResourceExhausted: the cluster can never fit the groups;
  // DeadlineExceeded: it had no room in time; Unavailable: no driver answers; Unauthenticated; Aborted: a worker
  // process did not start, with what it printed.
  static absl::StatusOr<std::unique_ptr<ClusterJob>> Start(const InitializeOptions& options,
                                                           const ClusterLimits& limits = {});
  ~ClusterJob() override;

  const std::shared_ptr<actor::Process>& program() const override { return program_; }
  std::vector<mesh::PlacedGroup> Placed() const override;
  bool WaitForCalls(base::Instant deadline) const override;
  std::vector<std::string> CallsUnderWay(size_t most) const override;
  void Shutdown(const absl::Status& why) override;
  absl::Status CloseFailures() override;

 private:
  using Stream = rpc::ClientStream<v1::ProgramToDriver, v1::DriverToProgram>;
  // What the driver says comes in gRPC's threads, also after this job.
  struct Told {
    explicit Told(std::string driver) : talk(std::move(driver)) {}
    base::Mutex mutex;
    base::CondVar changed;
    JobTalk talk ABSL_GUARDED_BY(mutex);
    Losses losses;
  };

  explicit ClusterJob(const ClusterLimits& limits);
  static void OnMessage(Told& told, v1::DriverToProgram message);
  static void OnEnd(Told& told, const absl::Status& status);
  static void Carry(Told& told, JobTalk::News news);

  absl::Status Connect(const InitializeOptions& options);
  absl::StatusOr<v1::SubmitJob> Describe(const InitializeOptions& options) const;
  // Until the driver has led the job there. An error: it never will, or has not by the deadline.
  absl::Status Await(JobTalk::Phase phase, base::Instant deadline) const;
  absl::StatusOr<v1::JobPlaced> AwaitPlaced(absl::Duration placement_timeout) const;
  absl::StatusOr<v1::JobPeers> AwaitPeers() const;
  absl::Status Join(const InitializeOptions& options, const v1::JobPlaced& placed);
  void BeginLosses(rpc::GrpcTransport* transport, const v1::JobPeers& peers);
  std::vector<actor::Account> Ask(bool close) const;
  void AwaitEnded(base::Instant deadline);
  void EndProgram(const absl::Status& why);

  const ClusterLimits limits_;
  const std::shared_ptr<PeerTable> table_;
  std::unique_ptr<PrivateCluster> private_;
  std::string driver_;
  std::string token_;
  std::shared_ptr<Told> told_;
  std::shared_ptr<Stream> stream_;
  v1::JobPlaced placed_;
  absl::Duration grace_;
  std::vector<actor::GroupInfo> groups_;
  std::shared_ptr<actor::Process> program_;
  std::unique_ptr<WorkerOutput> output_;
  std::vector<rpc::ProcessId> workers_;
  std::map<rpc::ProcessId, std::string> names_;  // of the workers: "rank 1 of group 'pool' (host, pid 12)"
  mutable base::Mutex mutex_;
  mutable std::set<rpc::ProcessId> silent_ ABSL_GUARDED_BY(mutex_);  // have not answered in time: not asked again
  absl::Status unread_of_workers_;
  bool shut_down_ = false;
};

}  // namespace twinkle::internal

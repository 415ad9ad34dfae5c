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

#include "client/src/cluster_limits.h"
#include "client/src/job_talk.h"
#include "client/src/job_world.h"
#include "client/src/losses.h"
#include "runtime/actor/job.h"
#include "runtime/base/clock.h"
#include "runtime/base/mutex.h"

namespace twinkle::internal {

// The session's job: its program is a process of it, its ranks are started by the cluster. Thread-safe. Start,
// WaitForCalls and Shutdown block, each for a limited time. Shutdown ends the program's part, and waits for the driver
// to end the rest.
class ClusterJob final : public actor::Job {
 public:
  // Has the job placed and its worker processes started. Blocks until all of them serve; a line on stderr says what it
  // waits for. InvalidArgument as InProcessJob::Start; ResourceExhausted: the cluster can never fit the groups;
  // DeadlineExceeded: it had no room in time; Unavailable: no driver answers; Unauthenticated; Aborted: a worker
  // process did not start, with what it printed.
  static absl::StatusOr<std::unique_ptr<ClusterJob>> Start(const InitializeOptions& options,
                                                           const ClusterLimits& limits = {});
  // Starts a job in a world that a test makes.
  static absl::StatusOr<std::unique_ptr<ClusterJob>> Start(const InitializeOptions& options,
                                                           const ClusterLimits& limits,
                                                           std::unique_ptr<JobWorld> world);
  ~ClusterJob() override;

  const std::shared_ptr<actor::Process>& program() const override { return part_.process; }
  std::vector<mesh::PlacedGroup> Placed() const override;
  bool WaitForCalls(base::Instant deadline) const override;
  std::vector<std::string> CallsUnderWay(size_t most) const override;
  void Shutdown(const absl::Status& why) override;
  absl::Status CloseFailures() override;

 private:
  // What the driver says. It comes in the link's threads, also after this job.
  struct DriverWords {
    explicit DriverWords(std::string driver) : talk(std::move(driver)) {}
    base::Mutex mutex;
    JobTalk talk ABSL_GUARDED_BY(mutex);
    Losses losses;
  };
  struct Rank {
    std::string name;   // "rank 1 of group 'pool' (host, pid 12)"
    std::string place;  // "host, pid 12"
    std::string node;
  };

  ClusterJob(const ClusterLimits& limits, absl::Duration grace, std::unique_ptr<JobWorld> world);
  static void OnMessage(DriverWords& words, v1::DriverToProgram message);
  static void OnEnd(DriverWords& words, const absl::Status& status);
  static void Carry(DriverWords& words, JobTalk::News news);

  absl::Status Connect();
  // Waits until the driver has led the job to a phase. An error: it never will, or has not by the deadline (of the end:
  // Unavailable).
  absl::Status Await(JobTalk::Phase wanted, base::Instant deadline) const;
  absl::Status AwaitPlaced(absl::Duration placement_timeout);
  absl::StatusOr<v1::JobPeers> AwaitPeers() const;
  absl::Status Join(const std::vector<DeviceGroup>& groups);
  EndGroup GroupEnder() const;
  void Remember(const v1::JobPeers& peers);
  void BeginLosses(const v1::JobPeers& peers);
  // What all workers account for. To close them, each is to log and to forget the failures that nobody looked at.
  std::vector<actor::Account> Accounts() const { return Ask(/*close=*/false); }
  std::vector<actor::Account> CloseAccounts() const { return Ask(/*close=*/true); }
  std::vector<actor::Account> Ask(bool close) const;
  void EndProgram(const absl::Status& why);

  const ClusterLimits limits_;
  const std::unique_ptr<JobWorld> world_;
  const absl::Duration grace_;
  // As the steps of Start find them, the job being under way by then; constant from there on.
  std::shared_ptr<DriverWords> words_;
  std::shared_ptr<JobLink> link_;
  v1::JobPlaced placed_;
  std::vector<actor::GroupInfo> groups_;
  std::map<rpc::ProcessId, Rank> ranks_;
  ProgramPart part_;

  mutable base::Mutex mutex_;
  mutable std::set<rpc::ProcessId> silent_ ABSL_GUARDED_BY(mutex_);  // have not answered in time: not asked again
  absl::Status unread_of_workers_;
  bool shut_down_ = false;
};

}  // namespace twinkle::internal

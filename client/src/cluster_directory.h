// The directory of a job on a cluster: groups are known from the start, names and components are the driver's.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/actor/directory.h"
#include "runtime/base/mutex.h"
#include "runtime/rpc/keep_alive.h"

namespace twinkle::internal {

// Keeps its job's components with the driver, and finds those of other jobs. Thread-safe. Questions to the driver
// block, for a limited time.
class ClusterDirectory final : public actor::Directory {
 public:
  // Makes a process of another job known to this one's transport.
  using Introduce = std::function<void(const v1::Process& process, const std::string& ticket)>;

  // `driver`: its gRPC target. Connects when it is first asked for something.
  ClusterDirectory(std::vector<actor::GroupInfo> groups, const std::string& driver, const rpc::KeepAlive& keep_alive,
                   std::string secret, Introduce introduce);

  absl::StatusOr<actor::GroupInfo> FindGroup(absl::string_view name) override;
  absl::StatusOr<actor::ComponentInfo> AddComponent(actor::ComponentInfo component, absl::string_view instance_id,
                                                    bool* existed) override;
  void RemoveComponent(uint64_t id) override;
  absl::StatusOr<actor::ComponentInfo> FindComponent(absl::string_view name) override;
  std::vector<actor::ComponentInfo> Components() override;
  absl::StatusOr<std::string> Rendezvous(uint64_t component) override;

  // Asks where a process of another job is. Returns at once; `done` is called on a thread of gRPC's.
  void Meet(rpc::ProcessId process, std::function<void(absl::StatusOr<v1::MetProcess>)> done) const;

 private:
  void Prepare(grpc::ClientContext& context) const;

  const std::vector<actor::GroupInfo> groups_;
  const std::string secret_;
  const Introduce introduce_;
  const std::unique_ptr<v1::Driver::Stub> stub_;
  base::Mutex mutex_;
  absl::flat_hash_map<uint64_t, std::string> rendezvous_ ABSL_GUARDED_BY(mutex_);  // by component; they do not change
};

// The groups that a driver tells of, their workers numbered from `first_process` on.
std::vector<actor::GroupInfo> GroupsOf(const google::protobuf::RepeatedPtrField<v1::GroupLayout>& groups,
                                       rpc::ProcessId first_process);

// Whether a process can be reached from this machine. FailedPrecondition: it listens for its own machine only, and that
// is not this one.
absl::Status CheckReachable(const v1::Process& to);

}  // namespace twinkle::internal

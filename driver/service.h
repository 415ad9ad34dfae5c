// The driver's gRPC service: turns what arrives into events of the cluster's state, and its effects into messages.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "driver/cluster_state.h"
#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/rpc/streams.h"

namespace twinkle::driver {

struct ServiceOptions {
  std::string token;  // of the cluster
  ClusterOptions cluster;
};

// State is confined to one task queue; gRPC's threads only post to it. Everything that calls must show the cluster's
// token, or, for names, a job's secret: else Unauthenticated.
class DriverService final : public v1::Driver::CallbackService {
 public:
  DriverService(ServiceOptions options, base::Executor* executor, std::unique_ptr<Journal> journal,
                const Restored& restored);
  // Ends the streams. The server must be shut down afterwards, before this goes.
  void Stop();

  grpc::ServerBidiReactor<v1::NodeToDriver, v1::DriverToNode>* Node(grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<v1::ProgramToDriver, v1::DriverToProgram>* Job(grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* AddComponent(grpc::CallbackServerContext* context, const v1::Component* request,
                                         v1::AddComponentReply* reply) override;
  grpc::ServerUnaryReactor* RemoveComponent(grpc::CallbackServerContext* context, const v1::ComponentId* request,
                                            v1::Nothing* reply) override;
  grpc::ServerUnaryReactor* FindComponent(grpc::CallbackServerContext* context, const v1::ComponentName* request,
                                          v1::FoundComponent* reply) override;
  grpc::ServerUnaryReactor* Meet(grpc::CallbackServerContext* context, const v1::ProcessId* request,
                                 v1::MetProcess* reply) override;
  grpc::ServerUnaryReactor* ListComponents(grpc::CallbackServerContext* context, const v1::JobId* request,
                                           v1::Components* reply) override;
  grpc::ServerUnaryReactor* Rendezvous(grpc::CallbackServerContext* context, const v1::ComponentId* request,
                                       v1::RendezvousReply* reply) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context, const v1::Nothing* request,
                                      v1::ClusterStatus* reply) override;
  grpc::ServerUnaryReactor* StopJob(grpc::CallbackServerContext* context, const v1::JobId* request,
                                    v1::Nothing* reply) override;
  grpc::ServerUnaryReactor* VisitJob(grpc::CallbackServerContext* context, const v1::JobId* request,
                                     v1::JobVisit* reply) override;

 private:
  using NodeStream = rpc::ServerStream<v1::NodeToDriver, v1::DriverToNode>;
  using ProgramStream = rpc::ServerStream<v1::ProgramToDriver, v1::DriverToProgram>;
  struct NodeConnection {
    std::shared_ptr<NodeStream> stream;
    NodeId node = 0;  // 0: it has not joined
  };
  struct ProgramConnection {
    std::shared_ptr<ProgramStream> stream;
    JobNumber job = 0;  // 0: it has not submitted
  };

  bool HasToken(const grpc::CallbackServerContext& context) const;
  // For a job's process: runs `answer` with the job that it belongs to, on the queue.
  grpc::ServerUnaryReactor* ForJob(grpc::CallbackServerContext* context, std::function<absl::Status(JobNumber)> answer);
  grpc::ServerUnaryReactor* ForCommand(grpc::CallbackServerContext* context, std::function<absl::Status()> answer);

  // On the queue.
  void OnNodeMessage(const std::shared_ptr<NodeConnection>& connection, const v1::NodeToDriver& message);
  void OnNodeEnd(const std::shared_ptr<NodeConnection>& connection);
  void OnProgramMessage(const std::shared_ptr<ProgramConnection>& connection, const v1::ProgramToDriver& message);
  void OnProgramEnd(const std::shared_ptr<ProgramConnection>& connection);
  void Carry(Effects effects);
  void SetAlarm();

  const ServiceOptions options_;
  base::Executor* const executor_;
  std::atomic<bool> stopped_ = false;

  // Confined to the queue.
  const std::unique_ptr<Journal> journal_;
  ClusterState state_;
  std::map<NodeId, std::shared_ptr<NodeStream>> nodes_;
  std::map<JobNumber, std::shared_ptr<ProgramStream>> programs_;
  base::Instant alarm_ = base::kForever;

  const std::unique_ptr<base::TaskQueue> queue_;  // last: its tasks use the rest
};

}  // namespace twinkle::driver

// The driver's gRPC service: turns calls into tasks of the driver's queue, which the Conductor carries out, and answers
// them.
#pragma once

#include <absl/status/status.h>

#include <functional>
#include <memory>
#include <string>

#include "driver/conductor.h"
#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/base/executor.h"
#include "runtime/rpc/streams.h"
#include "runtime/rpc/token_check.h"

namespace twinkle::driver {

// The service Driver of cluster.proto. Thread-safe; gRPC calls it. Callers must show the cluster's token or, for names,
// a job's secret: else Unauthenticated. Invariants:
//  DS1 the conductor is confined to one task queue; gRPC's threads only post to it;
//  DS2 each call is answered: by its task, or, if that never runs, with Unavailable.
class DriverService final : public v1::Driver::CallbackService {
 public:
  // `token`: checks the cluster's token, and is told of each caller that has shown it, or a job's secret. `executor`
  // must outlive the service.
  DriverService(rpc::TokenCheck token, ConductorOptions options, base::Executor* executor,
                std::unique_ptr<Journal> journal, const Restored& restored);
  ~DriverService() override;
  // ResourceExhausted: there is no thread for the service. It must not be served or stopped then.
  absl::Status Check() const;
  // Ends the streams, and answers waiting calls. Blocks for the task under way. Afterwards the server must be shut
  // down, before the service is destroyed.
  void Stop();

  grpc::ServerBidiReactor<v1::NodeToDriver, v1::DriverToNode>* Node(grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<v1::ProgramToDriver, v1::DriverToProgram>* Job(grpc::CallbackServerContext* context) override;
  grpc::ServerReadReactor<v1::Component>* AddComponent(grpc::CallbackServerContext* context,
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
    NodeId node = 0;  // 0: it has not joined yet
  };
  struct ProgramConnection {
    std::shared_ptr<ProgramStream> stream;
    JobNumber job = 0;  // 0: it has not submitted yet
  };

  class AddComponentCall;

  // Runs `answer` on the queue and answers the call with its status; the reply must be filled in before OK.
  grpc::ServerUnaryReactor* OnQueue(grpc::CallbackServerContext* context, std::function<absl::Status()> answer);
  // OnQueue for a process of a job: `answer` is given the job.
  grpc::ServerUnaryReactor* ForJob(grpc::CallbackServerContext* context, std::function<absl::Status(JobNumber)> answer);
  // OnQueue for a command, which shows the cluster's token.
  grpc::ServerUnaryReactor* ForCommand(grpc::CallbackServerContext* context, std::function<absl::Status()> answer);

  // What a call of a job's process shows.
  struct CallingProcess {
    absl::Status protocol;  // whether it speaks this driver's protocol
    std::string secret;
    std::string peer;
  };
  CallingProcess ProcessOf(const grpc::CallbackServerContext& context) const;

  // ---- on the queue
  // The job of a calling process. Unauthenticated: it shows no job's secret; FailedPrecondition: another protocol.
  absl::StatusOr<JobNumber> LetIn(const CallingProcess& process);
  void OnNodeMessage(NodeConnection& connection, const v1::NodeToDriver& message, base::Instant arrived);
  void OnProgramMessage(ProgramConnection& connection, const v1::ProgramToDriver& message, base::Instant arrived);

  const rpc::TokenCheck token_;
  base::Executor* const executor_;
  const std::unique_ptr<base::TaskQueue> queue_;  // closed before the conductor goes
  Conductor conductor_;                           // confined to the queue
};

}  // namespace twinkle::driver

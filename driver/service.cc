#include "driver/service.h"

#include <utility>

#include "runtime/base/status.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/secret.h"

namespace twinkle::driver {
namespace {

absl::Status Stopping() { return absl::UnavailableError("the driver stops"); }

template <class T>
absl::Status AnswerWith(absl::StatusOr<T> result, T* reply) {
  if (!result.ok()) return result.status();
  *reply = *std::move(result);
  return absl::OkStatus();
}

}  // namespace

// A call that a task will answer. If the task never runs, its destruction answers that the driver stops (DS2).
template <class Reactor>
class PendingCall {
 public:
  explicit PendingCall(Reactor* reactor) : reactor_(reactor) {}
  PendingCall(PendingCall&& other) noexcept : reactor_(std::exchange(other.reactor_, nullptr)) {}
  PendingCall& operator=(PendingCall&&) = delete;
  ~PendingCall() {
    if (reactor_ != nullptr) Answer(Stopping());
  }
  void Answer(const absl::Status& status) { Take()->Finish(rpc::ToGrpc(status)); }
  // Gives the reactor to the caller, who answers it.
  Reactor* Take() { return std::exchange(reactor_, nullptr); }

 private:
  Reactor* reactor_;
};

namespace {

template <class Stream, class Message>
Outlet<Message> OutletOf(const std::shared_ptr<Stream>& stream) {
  return {[stream](Message message) { stream->Write(std::move(message)); },
          [stream](const absl::Status& status) { stream->Finish(status); }};
}

}  // namespace

DriverService::DriverService(rpc::TokenCheck token, ConductorOptions options, base::Executor* executor,
                             std::unique_ptr<Journal> journal, const Restored& restored)
    : token_(std::move(token)),
      executor_(executor),
      queue_(executor->NewQueue("driver")),
      conductor_(std::move(options), executor, queue_.get(), std::move(journal), restored) {}

DriverService::~DriverService() {
  if (queue_ != nullptr) queue_->Close();
}

absl::Status DriverService::Check() const { return queue_ == nullptr ? base::NoThread() : absl::OkStatus(); }

void DriverService::Stop() {
  queue_->Close();
  conductor_.Stop(Stopping());
}

// ---- nodes
grpc::ServerBidiReactor<v1::NodeToDriver, v1::DriverToNode>* DriverService::Node(grpc::CallbackServerContext* context) {
  if (absl::Status refused = token_.Check(*context); !refused.ok()) return NodeStream::Refuse(refused);
  const auto connection = std::make_shared<NodeConnection>();
  connection->stream = NodeStream::Make();
  connection->stream->Begin({[this, connection](const v1::NodeToDriver& message) {
                               queue_->Post([this, connection, message, arrived = executor_->Now()] {
                                 OnNodeMessage(*connection, message, arrived);
                               });
                             },
                             [this, connection] {
                               queue_->Post([this, connection, arrived = executor_->Now()] {
                                 if (connection->node != 0) conductor_.NodeEnded(connection->node, arrived);
                               });
                             }});
  return connection->stream.get();
}

void DriverService::OnNodeMessage(NodeConnection& connection, const v1::NodeToDriver& message, base::Instant arrived) {
  if (connection.node != 0) return conductor_.OnNode(connection.node, message, arrived);
  if (!message.has_join()) return connection.stream->Finish(absl::InvalidArgumentError("a node must join first"));
  const auto node = conductor_.Join(message.join(), OutletOf<NodeStream, v1::DriverToNode>(connection.stream), arrived);
  if (!node.ok()) return connection.stream->Finish(node.status());
  connection.node = *node;
}

// ---- programs
grpc::ServerBidiReactor<v1::ProgramToDriver, v1::DriverToProgram>* DriverService::Job(
    grpc::CallbackServerContext* context) {
  if (absl::Status refused = token_.Check(*context); !refused.ok()) return ProgramStream::Refuse(refused);
  const auto connection = std::make_shared<ProgramConnection>();
  connection->stream = ProgramStream::Make();
  connection->stream->Begin({[this, connection](const v1::ProgramToDriver& message) {
                               queue_->Post([this, connection, message, arrived = executor_->Now()] {
                                 OnProgramMessage(*connection, message, arrived);
                               });
                             },
                             [this, connection] {
                               queue_->Post([this, connection, arrived = executor_->Now()] {
                                 if (connection->job != 0) conductor_.ProgramEnded(connection->job, arrived);
                               });
                             }});
  return connection->stream.get();
}

void DriverService::OnProgramMessage(ProgramConnection& connection, const v1::ProgramToDriver& message,
                                     base::Instant arrived) {
  if (connection.job != 0) return conductor_.OnProgram(connection.job, message, arrived);
  if (!message.has_submit()) {
    return connection.stream->Finish(absl::InvalidArgumentError("a program must submit a job first"));
  }
  connection.job =
      conductor_.Submit(message.submit(), OutletOf<ProgramStream, v1::DriverToProgram>(connection.stream), arrived);
}

// ---- answers
grpc::ServerUnaryReactor* DriverService::OnQueue(grpc::CallbackServerContext* context,
                                                 std::function<absl::Status()> answer) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  queue_->Post([call = PendingCall(reactor), answer = std::move(answer)]() mutable { call.Answer(answer()); });
  return reactor;
}

grpc::ServerUnaryReactor* DriverService::ForJob(grpc::CallbackServerContext* context,
                                                std::function<absl::Status(JobNumber)> answer) {
  return OnQueue(context, [this, process = ProcessOf(*context), answer = std::move(answer)] {
    const absl::StatusOr<JobNumber> job = LetIn(process);
    return job.ok() ? answer(*job) : job.status();
  });
}

DriverService::CallingProcess DriverService::ProcessOf(const grpc::CallbackServerContext& context) const {
  return {token_.CheckProtocol(context), rpc::MetadataOf(context, rpc::kSecretKey), context.peer()};
}

absl::StatusOr<JobNumber> DriverService::LetIn(const CallingProcess& process) {
  TWINKLE_RETURN_IF_ERROR(process.protocol);
  const JobNumber job = conductor_.state().JobOfSecret(process.secret);
  if (job == 0) return absl::UnauthenticatedError("the caller's job is not known (any more)");
  token_.LetIn(process.peer);
  return job;
}

grpc::ServerUnaryReactor* DriverService::ForCommand(grpc::CallbackServerContext* context,
                                                    std::function<absl::Status()> answer) {
  const absl::Status refused = token_.Check(*context);
  if (refused.ok()) return OnQueue(context, std::move(answer));
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(rpc::ToGrpc(refused));
  return reactor;
}

// ---- names
// One call of AddComponent. The component is read only after its caller has been let in, because a stranger's message
// is cut off at a small size. Deletes itself.
class DriverService::AddComponentCall final : public grpc::ServerReadReactor<v1::Component> {
 public:
  AddComponentCall(DriverService* service, v1::AddComponentReply* reply) : service_(*service), reply_(reply) {}
  void Begin(JobNumber job) {
    job_ = job;
    StartRead(&component_);
  }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish({grpc::StatusCode::CANCELLED, "the caller has told no component"});
    service_.queue_->Post([this, call = PendingCall(this)]() mutable {
      call.Answer(AnswerWith(service_.conductor_.AddComponent(job_, component_), reply_));
    });
  }
  void OnDone() override { delete this; }

 private:
  DriverService& service_;
  v1::AddComponentReply* const reply_;
  JobNumber job_ = 0;
  v1::Component component_;
};

grpc::ServerReadReactor<v1::Component>* DriverService::AddComponent(grpc::CallbackServerContext* context,
                                                                    v1::AddComponentReply* reply) {
  auto* const reactor = new AddComponentCall(this, reply);
  queue_->Post([this, call = PendingCall(reactor), process = ProcessOf(*context)]() mutable {
    const absl::StatusOr<JobNumber> job = LetIn(process);
    if (!job.ok()) return call.Answer(job.status());
    call.Take()->Begin(*job);
  });
  return reactor;
}

grpc::ServerUnaryReactor* DriverService::RemoveComponent(grpc::CallbackServerContext* context,
                                                         const v1::ComponentId* request, v1::Nothing*) {
  return ForJob(context, [this, request](JobNumber job) { return conductor_.RemoveComponent(job, request->id()); });
}

grpc::ServerUnaryReactor* DriverService::FindComponent(grpc::CallbackServerContext* context,
                                                       const v1::ComponentName* request, v1::FoundComponent* reply) {
  return ForJob(context, [this, request, reply](JobNumber job) {
    return AnswerWith(conductor_.state().FindComponent(job, request->name()), reply);
  });
}

grpc::ServerUnaryReactor* DriverService::Meet(grpc::CallbackServerContext* context, const v1::ProcessId* request,
                                              v1::MetProcess* reply) {
  return ForJob(context, [this, request, reply](JobNumber job) {
    return AnswerWith(conductor_.state().Meet(job, request->id()), reply);
  });
}

grpc::ServerUnaryReactor* DriverService::ListComponents(grpc::CallbackServerContext* context, const v1::JobId*,
                                                        v1::Components* reply) {
  return ForJob(context, [this, reply](JobNumber job) {
    *reply = conductor_.state().ComponentsOf(job);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* DriverService::Rendezvous(grpc::CallbackServerContext* context,
                                                    const v1::ComponentId* request, v1::RendezvousReply* reply) {
  return ForJob(context, [this, request, reply](JobNumber job) {
    return AnswerWith(conductor_.state().Rendezvous(job, request->id()), reply->mutable_address());
  });
}

// ---- commands
grpc::ServerUnaryReactor* DriverService::GetStatus(grpc::CallbackServerContext* context, const v1::Nothing*,
                                                   v1::ClusterStatus* reply) {
  return ForCommand(context, [this, reply] {
    *reply = conductor_.Status(executor_->Now());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* DriverService::VisitJob(grpc::CallbackServerContext* context, const v1::JobId* request,
                                                  v1::JobVisit* reply) {
  return ForCommand(context,
                    [this, request, reply] { return AnswerWith(conductor_.state().Visit(request->job()), reply); });
}

grpc::ServerUnaryReactor* DriverService::StopJob(grpc::CallbackServerContext* context, const v1::JobId* request,
                                                 v1::Nothing*) {
  return ForCommand(context, [this, request] { return conductor_.StopJob(request->job(), executor_->Now()); });
}

}  // namespace twinkle::driver

#include "driver/service.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>

#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/secret.h"

namespace twinkle::driver {
namespace {

absl::Status WrongToken() {
  return absl::UnauthenticatedError(
      "wrong or missing token: set TWINKLE_TOKEN_FILE (or --token-file) to a file with the driver's token");
}

template <class T>
absl::Status AnswerWith(absl::StatusOr<T> result, T* reply) {
  if (!result.ok()) return result.status();
  *reply = *std::move(result);
  return absl::OkStatus();
}

}  // namespace

DriverService::DriverService(ServiceOptions options, base::Executor* executor, std::unique_ptr<Journal> journal,
                             const Restored& restored)
    : options_(std::move(options)),
      executor_(executor),
      journal_(std::move(journal)),
      state_(options_.cluster, executor->Now(), restored),
      queue_(executor->NewQueue("driver")) {}

void DriverService::Stop() {
  stopped_ = true;
  queue_->Close();
  for (const auto& [id, stream] : nodes_) stream->Finish(absl::UnavailableError("the driver stops"));
  for (const auto& [job, stream] : programs_) stream->Finish(absl::UnavailableError("the driver stops"));
}

bool DriverService::HasToken(const grpc::CallbackServerContext& context) const {
  return rpc::SecretsEqual(rpc::MetadataOf(context, rpc::kTokenKey), options_.token);
}

// ---- effects
void DriverService::Carry(Effects effects) {
  std::vector<Record> records;
  for (const auto& effect : effects) {
    if (const auto* record = std::get_if<Record>(&effect)) records.push_back(*record);
  }
  // A full disk ends no job: what is lost is what a restarted driver would know.
  if (const absl::Status kept = journal_->Append(records, absl::ToUnixMillis(absl::Now())); !kept.ok()) {
    base::Log(base::LogLevel::kError, kept.message());
  }
  for (auto& effect : effects) {
    if (auto* to_node = std::get_if<ToNode>(&effect)) {
      const auto node = nodes_.find(to_node->node);
      if (node != nodes_.end()) node->second->Write(std::move(to_node->message));
    } else if (auto* to_program = std::get_if<ToProgram>(&effect)) {
      const auto program = programs_.find(to_program->job);
      if (program == programs_.end()) continue;
      const bool last = to_program->message.has_ended();
      program->second->Write(std::move(to_program->message));
      if (last) {
        program->second->Finish(absl::OkStatus());
        programs_.erase(program);
      }
    }
  }
  // A node that fell silent has lost its lease: its connection ends with that.
  for (auto node = nodes_.begin(); node != nodes_.end();) {
    if (state_.HasNode(node->first)) {
      ++node;
      continue;
    }
    node->second->Finish(absl::UnavailableError("this node has been silent for too long"));
    node = nodes_.erase(node);
  }
  SetAlarm();
}

void DriverService::SetAlarm() {
  const std::optional<base::Instant> next = state_.NextDeadline();
  if (!next || *next >= alarm_) return;
  alarm_ = *next;
  queue_->PostAfter(std::max(absl::ZeroDuration(), *next - executor_->Now()), [this] {
    alarm_ = base::kForever;
    Effects effects;
    state_.Tick(executor_->Now(), &effects);
    Carry(std::move(effects));
  });
}

// ---- nodes
grpc::ServerBidiReactor<v1::NodeToDriver, v1::DriverToNode>* DriverService::Node(grpc::CallbackServerContext* context) {
  if (!HasToken(*context)) return NodeStream::Refuse(WrongToken());
  const auto connection = std::make_shared<NodeConnection>();
  connection->stream = NodeStream::Make();
  connection->stream->Begin({[this, connection](const v1::NodeToDriver& message) {
                               queue_->Post([this, connection, message] { OnNodeMessage(connection, message); });
                             },
                             [this, connection] { queue_->Post([this, connection] { OnNodeEnd(connection); }); }});
  return connection->stream.get();
}

void DriverService::OnNodeMessage(const std::shared_ptr<NodeConnection>& connection, const v1::NodeToDriver& message) {
  Effects effects;
  const base::Instant now = executor_->Now();
  if (message.has_join() && connection->node == 0) {
    // Its answer must find the stream.
    const NodeId node = state_.NodeJoined(message.join(), now, &effects);
    connection->node = node;
    nodes_[node] = connection->stream;
    base::Log(base::LogLevel::kInfo, absl::StrCat("node ", node, " '", message.join().name(), "' has joined"));
  } else if (connection->node == 0) {
    return connection->stream->Finish(absl::InvalidArgumentError("a node must join first"));
  }
  state_.NodeAlive(connection->node, now);
  if (message.has_alive()) {
    state_.NodeHasPorts(connection->node, message.alive().free_ports());
  } else if (message.has_listens()) {
    state_.ProcessListens(connection->node, message.listens(), &effects);
  } else if (message.has_exited()) {
    state_.ProcessExited(connection->node, message.exited(), &effects);
  } else if (message.has_cleared()) {
    state_.JobCleared(connection->node, message.cleared().job(), &effects);
  } else if (message.has_program_gone()) {
    state_.ProgramGone(message.program_gone().job(), now, &effects);
  } else if (message.has_end_group()) {
    const v1::EndGroup& end = message.end_group();
    state_.EndGroup(end.job(), end.group(), end.cause(), &effects);
  }
  Carry(std::move(effects));
}

void DriverService::OnNodeEnd(const std::shared_ptr<NodeConnection>& connection) {
  if (connection->node == 0) return;
  nodes_.erase(connection->node);
  base::Log(base::LogLevel::kInfo, absl::StrCat("node ", connection->node, " is gone"));
  Effects effects;
  state_.NodeGone(connection->node, "its daemon's connection ended", &effects);
  Carry(std::move(effects));
}

// ---- programs
grpc::ServerBidiReactor<v1::ProgramToDriver, v1::DriverToProgram>* DriverService::Job(
    grpc::CallbackServerContext* context) {
  if (!HasToken(*context)) return ProgramStream::Refuse(WrongToken());
  const auto connection = std::make_shared<ProgramConnection>();
  connection->stream = ProgramStream::Make();
  connection->stream->Begin({[this, connection](const v1::ProgramToDriver& message) {
                               queue_->Post([this, connection, message] { OnProgramMessage(connection, message); });
                             },
                             [this, connection] { queue_->Post([this, connection] { OnProgramEnd(connection); }); }});
  return connection->stream.get();
}

void DriverService::OnProgramMessage(const std::shared_ptr<ProgramConnection>& connection,
                                     const v1::ProgramToDriver& message) {
  Effects effects;
  const base::Instant now = executor_->Now();
  if (message.has_submit() && connection->job == 0) {
    connection->job = state_.Submit(message.submit(), rpc::NewSecret(), now, &effects);
    programs_[connection->job] = connection->stream;
  } else if (connection->job == 0) {
    return connection->stream->Finish(absl::InvalidArgumentError("a program must submit a job first"));
  } else if (message.has_listens()) {
    state_.ProgramListens(connection->job, message.listens(), &effects);
  } else if (message.has_end_group()) {
    state_.EndGroup(connection->job, message.end_group().group(), message.end_group().cause(), &effects);
  } else if (message.has_finish()) {
    state_.Finish(connection->job, absl::Milliseconds(message.finish().grace_ms()), now, &effects);
  }
  Carry(std::move(effects));
}

void DriverService::OnProgramEnd(const std::shared_ptr<ProgramConnection>& connection) {
  if (connection->job == 0) return;
  programs_.erase(connection->job);
  Effects effects;
  state_.ProgramGone(connection->job, executor_->Now(), &effects);
  Carry(std::move(effects));
}

// ---- names
grpc::ServerUnaryReactor* DriverService::ForJob(grpc::CallbackServerContext* context,
                                                std::function<absl::Status(JobNumber)> answer) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const std::string secret = rpc::MetadataOf(*context, rpc::kSecretKey);
  const bool taken = queue_->Post([this, reactor, secret, answer = std::move(answer)] {
    const JobNumber job = state_.JobOfSecret(secret);
    reactor->Finish(
        rpc::ToGrpc(job == 0 ? absl::UnauthenticatedError("the caller's job is not known (any more)") : answer(job)));
  });
  if (!taken) reactor->Finish(rpc::ToGrpc(absl::UnavailableError("the driver stops")));
  return reactor;
}

grpc::ServerUnaryReactor* DriverService::AddComponent(grpc::CallbackServerContext* context,
                                                      const v1::Component* request, v1::AddComponentReply* reply) {
  return ForJob(context, [this, request, reply](JobNumber job) {
    Effects effects;
    absl::StatusOr<v1::AddComponentReply> added = state_.AddComponent(job, *request, &effects);
    Carry(std::move(effects));
    return AnswerWith(std::move(added), reply);
  });
}

grpc::ServerUnaryReactor* DriverService::RemoveComponent(grpc::CallbackServerContext* context,
                                                         const v1::ComponentId* request, v1::Nothing*) {
  return ForJob(context, [this, request](JobNumber) {
    Effects effects;
    state_.RemoveComponent(request->id(), &effects);
    Carry(std::move(effects));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* DriverService::FindComponent(grpc::CallbackServerContext* context,
                                                       const v1::ComponentName* request, v1::FoundComponent* reply) {
  return ForJob(context, [this, request, reply](JobNumber job) {
    return AnswerWith(state_.FindComponent(job, request->name()), reply);
  });
}

grpc::ServerUnaryReactor* DriverService::Meet(grpc::CallbackServerContext* context, const v1::ProcessId* request,
                                              v1::MetProcess* reply) {
  return ForJob(context,
                [this, request, reply](JobNumber job) { return AnswerWith(state_.Meet(job, request->id()), reply); });
}

grpc::ServerUnaryReactor* DriverService::ListComponents(grpc::CallbackServerContext* context, const v1::JobId*,
                                                        v1::Components* reply) {
  return ForJob(context, [this, reply](JobNumber job) {
    *reply = state_.ComponentsOf(job);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* DriverService::Rendezvous(grpc::CallbackServerContext* context,
                                                    const v1::ComponentId* request, v1::RendezvousReply* reply) {
  return ForJob(context, [this, request, reply](JobNumber) {
    return AnswerWith(state_.Rendezvous(request->id()), reply->mutable_address());
  });
}

// ---- commands
grpc::ServerUnaryReactor* DriverService::ForCommand(grpc::CallbackServerContext* context,
                                                    std::function<absl::Status()> answer) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  if (!HasToken(*context)) {
    reactor->Finish(rpc::ToGrpc(WrongToken()));
    return reactor;
  }
  const bool taken = queue_->Post([reactor, answer = std::move(answer)] { reactor->Finish(rpc::ToGrpc(answer())); });
  if (!taken) reactor->Finish(rpc::ToGrpc(absl::UnavailableError("the driver stops")));
  return reactor;
}

grpc::ServerUnaryReactor* DriverService::GetStatus(grpc::CallbackServerContext* context, const v1::Nothing*,
                                                   v1::ClusterStatus* reply) {
  return ForCommand(context, [this, reply] {
    *reply = state_.Status(executor_->Now());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* DriverService::VisitJob(grpc::CallbackServerContext* context, const v1::JobId* request,
                                                  v1::JobVisit* reply) {
  return ForCommand(context, [this, request, reply] { return AnswerWith(state_.Visit(request->job()), reply); });
}

grpc::ServerUnaryReactor* DriverService::StopJob(grpc::CallbackServerContext* context, const v1::JobId* request,
                                                 v1::Nothing*) {
  return ForCommand(context, [this, request] {
    Effects effects;
    absl::Status stopped = state_.Stop(request->job(), "it was stopped by a command", executor_->Now(), &effects);
    Carry(std::move(effects));
    return stopped;
  });
}

}  // namespace twinkle::driver

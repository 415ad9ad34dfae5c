#include "client/src/real_job_world.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "client/src/cluster_member.h"
#include "client/src/peer_table.h"
#include "client/src/private_cluster.h"
#include "client/src/program_files.h"
#include "client/src/worker_output.h"
#include "client/src/worker_session.h"
#include "runtime/base/mutex.h"
#include "runtime/base/status.h"
#include "runtime/base/threads.h"
#include "runtime/memory/leases.h"
#include "runtime/rpc/address.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/grpc/grpc_transport.h"
#include "runtime/rpc/place.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/secret.h"
#include "runtime/rpc/streams.h"
#include "runtime/rpc/token.h"

namespace twinkle::internal {
namespace {

constexpr absl::Duration kPrivateLimit = absl::Seconds(20);
constexpr absl::Duration kLookAfter = absl::Milliseconds(50);  // services of this session

using Stream = rpc::ClientStream<v1::ProgramToDriver, v1::DriverToProgram>;

class StreamLink final : public JobLink {
 public:
  explicit StreamLink(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  void Write(v1::ProgramToDriver message) override { stream_->Write(std::move(message)); }
  void Cancel() override { stream_->Cancel(); }

 private:
  const std::shared_ptr<Stream> stream_;
};

// The news that something has come, for one thread that waits for it. Thread-safe.
class News {
 public:
  void Come() {
    base::MutexLock lock(&mutex_);
    there_ = true;
    changed_.SignalAll();
  }
  void Await(base::Instant deadline) {
    base::MutexLock lock(&mutex_);
    while (!there_ && base::Now() < deadline) changed_.WaitWithDeadline(&mutex_, deadline);
    there_ = false;
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  bool there_ ABSL_GUARDED_BY(mutex_) = false;
};

std::string ListenHost(const std::string& told) {
  if (told != "*") return told;
  const char* host = std::getenv("TWINKLE_HOST");
  return host != nullptr ? host : rpc::ThisHost();
}

// Whether a node has to look for the program's file by its path: on another machine, or where its pid means nothing.
bool NeedsDigests(const v1::JobPlaced& placed) {
  const std::string machine = rpc::ThisMachine();
  const bool elsewhere = std::any_of(placed.processes().begin(), placed.processes().end(),
                                     [&](const v1::Process& one) { return one.place().machine() != machine; });
  if (elsewhere) return true;
  const std::string pids = rpc::ThisPids();
  return pids.empty() || std::any_of(placed.nodes().begin(), placed.nodes().end(),
                                     [&](const v1::NodeDescription& node) { return node.place().pids() != pids; });
}

class RealJobWorld final : public JobWorld {
 public:
  RealJobWorld(const InitializeOptions& options, const ClusterLimits& limits) : options_(options), limits_(limits) {}

  absl::StatusOr<std::string> FindDriver() override;
  absl::StatusOr<std::shared_ptr<JobLink>> Connect(JobLink::Events events) override;
  absl::StatusOr<v1::ProgramListens> Listen(const v1::JobPlaced& placed) override;
  absl::StatusOr<ProgramPart> Join(const v1::JobPlaced& placed, const v1::JobPeers& peers,
                                   const std::vector<actor::GroupInfo>& groups, EndGroup end_group) override;
  void AwaitOutput(base::Instant deadline) override;
  void End() override;

  absl::Status CheckServices() override { return private_ == nullptr ? absl::OkStatus() : private_->CheckAlive(); }
  base::Instant Now() const override { return base::Now(); }
  void AwaitNews(base::Instant deadline) override {
    news_->Await(private_ == nullptr ? deadline : std::min(deadline, Now() + kLookAfter));
  }

 private:
  absl::Status StartServices();
  absl::Status AwaitConnected(grpc::Channel& channel);

  const InitializeOptions options_;
  const ClusterLimits limits_;
  const std::shared_ptr<News> news_ = std::make_shared<News>();  // also the stream's, which may end later
  std::unique_ptr<PrivateCluster> private_;
  std::string driver_;  // gRPC target
  std::string token_;
  std::unique_ptr<rpc::GrpcTransport> transport_;  // until the program has it
  std::unique_ptr<WorkerOutput> output_;
};

// ---- the driver
absl::StatusOr<std::string> RealJobWorld::FindDriver() {
  const char* from_environment = std::getenv("TWINKLE_DRIVER");
  driver_ = !options_.driver.empty() ? options_.driver : from_environment != nullptr ? from_environment : "";
  if (driver_.empty()) {
    TWINKLE_RETURN_IF_ERROR(StartServices());
    return "of the private cluster";
  }
  TWINKLE_RETURN_IF_ERROR(base::TryThreads(1));
  const char* const told_by = options_.driver.empty() ? "TWINKLE_DRIVER" : "InitializeOptions.driver";
  TWINKLE_RETURN_IF_ERROR(rpc::ParseHostPort(driver_, told_by).status());
  TWINKLE_ASSIGN_OR_RETURN(token_, rpc::ReadToken(rpc::DefaultTokenFile()));
  return absl::StrCat("at ", driver_);
}

absl::Status RealJobWorld::StartServices() {
  TWINKLE_RETURN_IF_ERROR(base::TryThreads(3));  // the services want as many
  TWINKLE_ASSIGN_OR_RETURN(private_, PrivateCluster::Start());
  driver_ = private_->role().target;
  token_ = private_->role().token;
  return private_->AwaitReady(Now() + kPrivateLimit);
}

absl::StatusOr<std::shared_ptr<JobLink>> RealJobWorld::Connect(JobLink::Events events) {
  rpc::KeepCallbacks();
  const auto channel = rpc::NewChannel(driver_, {.keep_alive = limits_.wires.services});
  TWINKLE_RETURN_IF_ERROR(AwaitConnected(*channel));
  auto stream = Stream::Make({[news = news_, told = std::move(events.on_message)](v1::DriverToProgram message) {
                                told(std::move(message));
                                news->Come();
                              },
                              [news = news_, told = std::move(events.on_end)](const absl::Status& status) {
                                told(status);
                                news->Come();
                              }});
  rpc::Introduce(stream->context(), rpc::kTokenKey, token_);
  v1::Driver::NewStub(channel)->async()->Job(&stream->context(), stream.get());
  stream->Begin();
  return std::make_shared<StreamLink>(std::move(stream));
}

absl::Status RealJobWorld::AwaitConnected(grpc::Channel& channel) {
  const base::Instant deadline = Now() + limits_.connect;
  while (!rpc::WaitConnected(channel, private_ == nullptr ? deadline : Now() + kLookAfter)) {
    TWINKLE_RETURN_IF_ERROR(CheckServices());
    if (Now() < deadline) continue;
    return absl::UnavailableError(absl::StrCat("no driver answers at ", driver_, ": is twinkle-driver running there?"));
  }
  return absl::OkStatus();
}

// ---- the job
absl::StatusOr<v1::ProgramListens> RealJobWorld::Listen(const v1::JobPlaced& placed) {
  const std::string host = ListenHost(placed.listen_host());
  TWINKLE_ASSIGN_OR_RETURN(transport_, rpc::GrpcTransport::Listen({.self = placed.process(),
                                                                   .socket = rpc::NewSocketName(),
                                                                   .host = host,
                                                                   .secret = placed.secret(),
                                                                   .redial = limits_.wires.redial,
                                                                   .keep_alive = limits_.wires.processes,
                                                                   .compression = options_.compression}));
  v1::ProgramListens listens;
  listens.mutable_endpoint()->set_socket(transport_->socket());
  if (!host.empty()) listens.mutable_endpoint()->set_address(rpc::JoinHostPort(host, transport_->port()));
  const bool digests = NeedsDigests(placed);
  if (digests) {
    TWINKLE_ASSIGN_OR_RETURN(*listens.mutable_digest(), OwnDigest());
  }
  TWINKLE_ASSIGN_OR_RETURN(const std::vector<v1::File> files, DescribeFiles(options_.files, digests));
  *listens.mutable_files() = {files.begin(), files.end()};
  return listens;
}

absl::StatusOr<ProgramPart> RealJobWorld::Join(const v1::JobPlaced& placed, const v1::JobPeers& peers,
                                               const std::vector<actor::GroupInfo>& groups, EndGroup end_group) {
  const auto table = std::make_shared<PeerTable>(rpc::ThisMachine(), rpc::ThisPids());
  rpc::GrpcTransport* const transport = transport_.get();  // the program's
  for (const v1::Process& peer : peers.processes()) {
    auto introduction = table->Add(peer);
    if (peer.id() != placed.process()) transport->Introduce(peer.id(), std::move(introduction));
  }
  actor::ProcessOptions process = OptionsFrom(SessionOf(options_));
  process.job = rpc::JobKeyOf(placed.secret());
  process.id = placed.process();
  process.place = rpc::ThisPlace();
  ClusterMember member{std::move(transport_), table, groups, driver_, placed.secret(), options_.prefault_bytes,
                       limits_.wires.services};
  member.notifier = options_.notifier;
  member.end_group = std::move(end_group);
  const std::shared_ptr<actor::Process> program = StartProcess(std::move(process), std::move(member));
  if (program == nullptr) return base::NoThread();
  output_ = std::make_unique<WorkerOutput>(
      placed.job(), std::vector<v1::NodeDescription>(placed.nodes().begin(), placed.nodes().end()), rpc::ThisMachine(),
      token_, limits_.wires.services);
  ProgramPart part;
  part.process = program;
  part.ask = [program, limit = limits_.account](const std::vector<rpc::ProcessId>& ranks, bool close) {
    return program->accounts().AskAll(ranks, close, limit);
  };
  part.lose = [program, transport](rpc::ProcessId process, const absl::Status& why) { transport->Lose(process, why); };
  return part;
}

// ---- the end
void RealJobWorld::AwaitOutput(base::Instant deadline) {
  if (output_ != nullptr) output_->AwaitEnd(deadline);
  output_.reset();
}

void RealJobWorld::End() {
  private_.reset();
  memory::Leases::Sweep();  // of the worker processes, which have ended
}

}  // namespace

std::unique_ptr<JobWorld> NewRealJobWorld(const InitializeOptions& options, const ClusterLimits& limits) {
  return std::make_unique<RealJobWorld>(options, limits);
}

}  // namespace twinkle::internal

// What a program's side of a job meets: a driver that says what the test wants, and ranks that never answer.
#pragma once

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/src/cluster_job.h"
#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/executor.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/grpc/grpc_transport.h"
#include "runtime/rpc/secret.h"
#include "runtime/rpc/streams.h"
#include "tests/support/driver_words.h"
#include "tests/support/folder.h"

namespace twinkle::internal {

// One job at a time. The script is called with what the program says, and answers. Components are added as they are
// asked for, and what is found is what the test says. TWINKLE_TOKEN_FILE is its token's while it lives.
class FakeDriver final : public v1::Driver::CallbackService {
 public:
  using Stream = rpc::ServerStream<v1::ProgramToDriver, v1::DriverToProgram>;
  using Script = std::function<void(Stream&, const v1::ProgramToDriver&)>;

  explicit FakeDriver(Script script) : script_(std::move(script)) {
    const std::string token = folder_ / "token";
    std::ofstream(token) << rpc::NewSecret() << '\n';
    ::chmod(token.c_str(), 0600);
    ::setenv("TWINKLE_TOKEN_FILE", token.c_str(), 1);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    target_ = "127.0.0.1:" + std::to_string(port);
  }
  ~FakeDriver() override {
    server_->Shutdown(rpc::DeadlineIn(absl::ZeroDuration()));
    ::unsetenv("TWINKLE_TOKEN_FILE");
  }

  grpc::ServerBidiReactor<v1::ProgramToDriver, v1::DriverToProgram>* Job(grpc::CallbackServerContext*) override {
    stream_ = Stream::Make();
    stream_->Begin({[this](const v1::ProgramToDriver& message) { script_(*stream_, message); }, [] {}});
    return stream_.get();
  }
  grpc::ServerReadReactor<v1::Component>* AddComponent(grpc::CallbackServerContext*,
                                                       v1::AddComponentReply* reply) override {
    struct Addition final : public grpc::ServerReadReactor<v1::Component> {
      Addition(v1::Component* read, uint64_t as) : component(*read), id(as) { StartRead(read); }
      void OnReadDone(bool) override {
        component.set_id(id);
        Finish(grpc::Status::OK);
      }
      void OnDone() override { delete this; }
      v1::Component& component;
      const uint64_t id;
    };
    return new Addition(reply->mutable_component(), ++components_);
  }
  grpc::ServerUnaryReactor* FindComponent(grpc::CallbackServerContext* context, const v1::ComponentName*,
                                          v1::FoundComponent* reply) override {
    *reply = found;
    return Answer(context);
  }
  // While the job runs.
  Stream& stream() const { return *stream_; }

  InitializeOptions Options(std::vector<DeviceGroup> groups = {}) const {
    return {.driver = target_, .groups = std::move(groups), .abort_grace = absl::Milliseconds(100)};
  }
  absl::StatusOr<std::unique_ptr<ClusterJob>> Start(std::vector<DeviceGroup> groups = {},
                                                    const ClusterLimits& limits = {}) const {
    return ClusterJob::Start(Options(std::move(groups)), limits);
  }

  v1::FoundComponent found;

 private:
  static grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  const Script script_;
  std::string target_;
  const tests::Folder folder_;
  std::atomic<uint64_t> components_ = 0;
  std::shared_ptr<Stream> stream_;
  std::unique_ptr<grpc::Server> server_;
};

// A driver that does what it should, for a job of such ranks.
inline FakeDriver::Script Good(std::vector<std::string> ranks = {}) {
  return [ranks = std::move(ranks)](FakeDriver::Stream& stream, const v1::ProgramToDriver& message) {
    if (message.has_submit()) stream.Write(Placed());
    if (message.has_listens()) stream.Write(Peers(ranks));
    if (message.has_finish()) stream.Write(Ended());
  };
}

// A rank that is there, and says nothing.
class SilentRank final : public rpc::Receiver {
 public:
  explicit SilentRank(rpc::ProcessId id, const std::string& secret = "secret") : queue_(executor_->NewQueue("rank")) {
    transport_ =
        rpc::GrpcTransport::Listen({.self = id, .socket = rpc::NewSocketName(), .host = "127.0.0.1", .secret = secret})
            .value();
    transport_->Start(this, queue_.get());
  }
  ~SilentRank() override {
    transport_->Close();
    queue_->Close();
  }
  const std::string& socket() const { return transport_->socket(); }
  int port() const { return transport_->port(); }
  // Blocks until something has come.
  bool WasCalled() const { return called_.WaitUntil(base::Now() + absl::Seconds(30)); }
  void OnFrame(rpc::ProcessId, rpc::Stream, rpc::Frame) override { called_.Set(); }
  void OnLost(rpc::ProcessId, const absl::Status&) override {}

 private:
  base::Event called_;
  const std::unique_ptr<base::Executor> executor_ = base::NewThreadExecutor();
  const std::unique_ptr<base::TaskQueue> queue_;
  std::unique_ptr<rpc::GrpcTransport> transport_;
};

}  // namespace twinkle::internal

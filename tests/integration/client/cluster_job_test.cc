// The program's side of a job, against a driver that says what the test wants, and ranks that never answer.
#include "client/src/cluster_job.h"

#include <absl/strings/match.h>
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/base/clock.h"
#include "runtime/base/end_limits.h"
#include "runtime/base/executor.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/grpc_transport.h"
#include "runtime/rpc/place.h"
#include "runtime/rpc/secret.h"
#include "tests/support/catch.h"

namespace twinkle::internal {
namespace {

constexpr uint64_t kJob = 7;

// One job at a time. The script is called with what the program says, and answers.
class FakeDriver final : public v1::Driver::CallbackService {
 public:
  using Stream = rpc::ServerStream<v1::ProgramToDriver, v1::DriverToProgram>;
  using Script = std::function<void(Stream&, const v1::ProgramToDriver&)>;

  explicit FakeDriver(Script script) : script_(std::move(script)), target_(rpc::NewSocketName()) {
    folder_ = std::filesystem::temp_directory_path() / ("twinkle-fake-driver-" + rpc::NewSecret().substr(0, 12));
    std::filesystem::create_directory(folder_);
    const std::string token = folder_ / "token";
    std::ofstream(token) << rpc::NewSecret() << '\n';
    ::chmod(token.c_str(), 0600);
    ::setenv("TWINKLE_TOKEN_FILE", token.c_str(), 1);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(target_, grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FakeDriver() override {
    server_->Shutdown(rpc::DeadlineIn(absl::ZeroDuration()));
    std::filesystem::remove_all(folder_);
    ::unsetenv("TWINKLE_TOKEN_FILE");
  }

  grpc::ServerBidiReactor<v1::ProgramToDriver, v1::DriverToProgram>* Job(grpc::CallbackServerContext*) override {
    stream_ = Stream::Make();
    stream_->Begin({[this](const v1::ProgramToDriver& message) { script_(*stream_, message); }, [] {}});
    return stream_.get();
  }
  // While the job runs.
  Stream& stream() const { return *stream_; }

  absl::StatusOr<std::unique_ptr<ClusterJob>> Start(std::vector<DeviceGroup> groups = {}) {
    InitializeOptions options;
    options.driver = target_;
    options.groups = std::move(groups);
    options.abort_grace = absl::Milliseconds(100);
    return ClusterJob::Start(options);
  }

 private:
  const Script script_;
  const std::string target_;
  std::filesystem::path folder_;
  std::shared_ptr<Stream> stream_;
  std::unique_ptr<grpc::Server> server_;
};

v1::DriverToProgram Placed() {
  v1::DriverToProgram message;
  message.mutable_placed()->set_job(kJob);
  message.mutable_placed()->set_secret("secret");
  message.mutable_placed()->set_process(base::ProcessIdOf(kJob, 0));
  return message;
}
v1::DriverToProgram Peers(const std::vector<std::string>& ranks = {}) {
  v1::DriverToProgram message;
  for (size_t rank = 0; rank < ranks.size(); ++rank) {
    v1::Process& process = *message.mutable_peers()->add_processes();
    process.set_id(base::ProcessIdOf(kJob, static_cast<uint32_t>(rank) + 1));
    process.set_group("pool");
    process.set_rank(static_cast<int32_t>(rank));
    process.mutable_place()->set_machine(rpc::ThisMachine());
    process.mutable_place()->set_host("host");
    process.mutable_endpoint()->set_socket(ranks[rank]);
  }
  message.mutable_peers()->set_job(kJob);
  return message;
}
v1::DriverToProgram Ended(absl::StatusCode code, const std::string& why) {
  v1::DriverToProgram message;
  message.mutable_ended()->set_code(static_cast<int32_t>(code));
  message.mutable_ended()->set_message(why);
  return message;
}

// A driver that does what it should, for a job of such ranks.
FakeDriver::Script Good(std::vector<std::string> ranks = {}) {
  return [ranks = std::move(ranks)](FakeDriver::Stream& stream, const v1::ProgramToDriver& message) {
    if (message.has_submit()) stream.Write(Placed());
    if (message.has_listens()) stream.Write(Peers(ranks));
    if (message.has_finish()) stream.Write(Ended(absl::StatusCode::kOk, ""));
  };
}

absl::Status End(ClusterJob& job) {
  job.Shutdown(absl::CancelledError("the session has ended"));
  return job.CloseFailures();
}

TEST_CASE("a job that begins and ends") {
  FakeDriver driver(Good());
  auto job = driver.Start();
  REQUIRE(job.ok());
  CHECK((*job)->WaitForCalls(base::Now() + absl::Seconds(5)));
  CHECK(End(**job).ok());
}

TEST_CASE("Initialize hears why the driver has dropped the job, whenever it does") {
  for (const bool placed : {false, true}) {
    FakeDriver driver([&](FakeDriver::Stream& stream, const v1::ProgramToDriver& message) {
      if (placed && message.has_submit()) return stream.Write(Placed());
      stream.Write(Ended(absl::StatusCode::kCancelled, "node 1 sees that its program has ended"));
    });
    const absl::Status status = driver.Start().status();
    CHECK(absl::IsCancelled(status));
    CHECK(absl::StrContains(status.message(), "node 1 sees that its program has ended"));
  }
}

TEST_CASE("Initialize hears that the driver is gone, in words that are no transport's") {
  FakeDriver driver([](FakeDriver::Stream& stream, const v1::ProgramToDriver&) {
    stream.Finish(absl::UnavailableError("Socket closed"));
  });
  const absl::Status status = driver.Start().status();
  CHECK(absl::IsUnavailable(status));
  CHECK(absl::StrContains(status.message(), "the driver at "));
  CHECK(absl::StrContains(status.message(), " is gone: the connection to it has broken"));
}

TEST_CASE("a job that has been ended does not end with OK") {
  FakeDriver driver(Good());
  auto job = driver.Start();
  REQUIRE(job.ok());
  driver.stream().Write(Ended(absl::StatusCode::kCancelled, "it was stopped by a command"));
  driver.stream().Finish(absl::OkStatus());
  CHECK(End(**job) == absl::CancelledError("job 7 was ended: it was stopped by a command"));
}

TEST_CASE("a driver that stops says so, and that is what Finish tells") {
  FakeDriver driver(Good());
  auto job = driver.Start();
  REQUIRE(job.ok());
  driver.stream().Finish(absl::UnavailableError("the driver stops"));
  const absl::Status ended = End(**job);
  CHECK(absl::IsUnavailable(ended));
  CHECK(absl::StrContains(ended.message(), " is gone: the driver stops"));
}

// A rank that is there, and says nothing.
class SilentRank final : public rpc::Receiver {
 public:
  explicit SilentRank(uint32_t place) : queue_(executor_->NewQueue("rank")) {
    transport_ = rpc::GrpcTransport::Listen(
                     {.self = base::ProcessIdOf(kJob, place), .socket = rpc::NewSocketName(), .secret = "secret"})
                     .value();
    transport_->Start(this, queue_.get());
  }
  ~SilentRank() override {
    transport_->Close();
    queue_->Close();
  }
  const std::string& socket() const { return transport_->socket(); }
  void OnFrame(rpc::ProcessId, rpc::Stream, rpc::Frame) override {}
  void OnLost(rpc::ProcessId, const absl::Status&) override {}

 private:
  const std::unique_ptr<base::Executor> executor_ = base::NewThreadExecutor();
  const std::unique_ptr<base::TaskQueue> queue_;
  std::unique_ptr<rpc::GrpcTransport> transport_;
};

TEST_CASE("ranks that do not answer cost their time once, all of them together") {
  const SilentRank one(1);
  const SilentRank other(2);
  FakeDriver driver(Good({one.socket(), other.socket()}));
  auto job = driver.Start({{.name = "pool", .ranks = 2, .device_type = "cpu"}});
  REQUIRE(job.ok());
  const base::Instant begin = base::Now();
  CHECK((*job)->WaitForCalls(base::Now() + absl::Seconds(20)));
  CHECK((*job)->CallsUnderWay(3).empty());
  CHECK(End(**job).ok());
  CHECK(base::Now() - begin < absl::Seconds(5));  // one after the other, and again, it would be 12
}

TEST_CASE("a driver that does not confirm the end is waited for no longer than its limit, and told of") {
  FakeDriver driver([](FakeDriver::Stream& stream, const v1::ProgramToDriver& message) {
    if (message.has_submit()) stream.Write(Placed());
    if (message.has_listens()) stream.Write(Peers());
  });
  auto job = driver.Start();
  REQUIRE(job.ok());
  const base::Instant begin = base::Now();
  const absl::Status ended = End(**job);
  CHECK(base::Now() - begin < absl::Milliseconds(100) + base::kProgramMargin + absl::Seconds(3));
  CHECK(absl::IsUnavailable(ended));
  CHECK(absl::StrContains(ended.message(), "has not said that the job has ended"));
}

}  // namespace
}  // namespace twinkle::internal

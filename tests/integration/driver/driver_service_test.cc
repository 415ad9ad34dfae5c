// The service behind a real server, in this process: who is let in, and that each call is answered whatever happens.
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "driver/service.h"
#include "runtime/base/clock.h"
#include "runtime/base/mutex.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/listener.h"
#include "runtime/rpc/place.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/token_check.h"
#include "tests/support/catch.h"
#include "tests/unit/driver/cluster.h"

namespace twinkle::driver {
namespace {

constexpr auto kLimit = std::chrono::seconds(30);  // of the test's patience

// A queue on which nothing runs until the test says so, whichever threads post.
class HeldExecutor final : public base::Executor {
 public:
  std::unique_ptr<base::TaskQueue> NewQueue(std::string) override { return std::make_unique<Queue>(shared_); }
  base::Instant Now() const override { return base::Now(); }

  // Waits for a task, and runs it.
  void RunOne() {
    base::Task task;
    {
      base::MutexLock lock(&shared_->mutex);
      while (shared_->tasks.empty()) shared_->posted.Wait(&shared_->mutex);
      task = std::move(shared_->tasks.front());
      shared_->tasks.pop_front();
    }
    task();
  }
  void AwaitPosted(size_t tasks) {
    base::MutexLock lock(&shared_->mutex);
    while (shared_->tasks.size() < tasks) shared_->posted.Wait(&shared_->mutex);
  }

 private:
  struct Shared {
    base::Mutex mutex;
    base::CondVar posted;
    std::deque<base::Task> tasks ABSL_GUARDED_BY(mutex);
    bool closed ABSL_GUARDED_BY(mutex) = false;
  };
  class Queue final : public base::TaskQueue {
   public:
    explicit Queue(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
    bool Post(base::Task task) override {
      base::MutexLock lock(&shared_->mutex);
      if (shared_->closed) return false;
      shared_->tasks.push_back(std::move(task));
      shared_->posted.SignalAll();
      return true;
    }
    void PostAfter(absl::Duration, base::Task) override {}
    bool InQueue() const override { return false; }
    void Close() override {
      std::deque<base::Task> dropped;
      base::MutexLock lock(&shared_->mutex);
      shared_->closed = true;
      std::swap(dropped, shared_->tasks);
    }
    void Abandon() override { Close(); }

   private:
    const std::shared_ptr<Shared> shared_;
  };

  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

struct Served {
  Served() {
    ConductorOptions options;
    options.new_secret = [] { return std::string("secret"); };
    const auto let_in = [this](const std::string& peer) {
      ++let_in_calls;
      listener->LetIn(peer);
    };
    service = std::make_unique<DriverService>(rpc::TokenCheck{"this twinkle-driver", "token", let_in},
                                              std::move(options), &executor, NewMemoryJournal(), Restored());
    grpc::ServerBuilder builder;
    builder.RegisterService(service.get());
    listener->Attach(builder);
    server = builder.BuildAndStart();
    stub = v1::Driver::NewStub(rpc::NewChannel(socket));
    REQUIRE(listener->Start().ok());
  }
  ~Served() { listener->Close(); }
  // A program's, whose job's secret is "secret". As long as the stream lives.
  std::unique_ptr<grpc::ClientReaderWriter<v1::ProgramToDriver, v1::DriverToProgram>> Submit(
      grpc::ClientContext* context) {
    rpc::Introduce(*context, rpc::kTokenKey, "token");
    auto program = stub->Job(context);
    v1::ProgramToDriver submit;
    *submit.mutable_submit() = JobOf(1);
    REQUIRE(program->Write(submit));
    executor.RunOne();
    return program;
  }
  // In a thread of its own: the answer to a command, or to a job's process.
  std::future<grpc::Status> Ask(const std::string& token, const std::string& secret) {
    return std::async(std::launch::async, [this, token, secret] {
      grpc::ClientContext context;
      if (secret.empty()) rpc::Introduce(context, rpc::kTokenKey, token);
      if (!secret.empty()) {
        rpc::Introduce(context, rpc::kSecretKey, secret);
        v1::Components reply;
        return stub->ListComponents(&context, v1::JobId(), &reply);
      }
      v1::ClusterStatus reply;
      return stub->GetStatus(&context, v1::Nothing(), &reply);
    });
  }
  // Whether the server ends in time.
  bool Ends() {
    auto ended = std::async(std::launch::async, [this] {
      service->Stop();
      server->Shutdown(rpc::DeadlineIn(absl::Milliseconds(100)));
    });
    if (ended.wait_for(kLimit) == std::future_status::ready) return true;
    std::fputs("the server does not end\n", stderr);
    std::abort();  // the future would be waited for
  }

  HeldExecutor executor;
  const std::string socket = rpc::NewSocketName();
  const std::unique_ptr<rpc::Listener> listener = rpc::Listener::Open({.socket = socket, .host = "127.0.0.1"}).value();
  std::atomic<int> let_in_calls = 0;
  std::unique_ptr<DriverService> service;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<v1::Driver::Stub> stub;
};

TEST_CASE("calls that wait when the driver stops are answered, and it ends (DS2)") {
  Served served;
  auto command = served.Ask("token", "");
  auto process = served.Ask("", "secret");
  served.executor.AwaitPosted(2);
  CHECK(served.Ends());
  for (const grpc::Status& status : {command.get(), process.get()}) {
    CHECK(status.error_code() == grpc::StatusCode::UNAVAILABLE);
    CHECK(status.error_message() == "the driver stops");
  }
}

TEST_CASE("streams that have joined, and such that have not, end with the driver") {
  Served served;
  grpc::ClientContext joined_context, silent_context, program_context;
  for (auto* context : {&joined_context, &silent_context, &program_context}) {
    rpc::Introduce(*context, rpc::kTokenKey, "token");
  }
  const auto joined = served.stub->Node(&joined_context);
  v1::NodeToDriver join;
  *join.mutable_join() = NodeOf("a", 1, 0);
  REQUIRE(joined->Write(join));
  served.executor.RunOne();
  v1::DriverToNode told;
  REQUIRE(joined->Read(&told));
  CHECK(told.joined().node() == 1);
  const auto silent = served.stub->Node(&silent_context);
  const auto program = served.stub->Job(&program_context);
  v1::ProgramToDriver submit;
  *submit.mutable_submit() = JobOf(1);
  REQUIRE(program->Write(submit));
  served.executor.AwaitPosted(1);  // and never runs
  served.service->Stop();
  CHECK_FALSE(joined->Read(&told));
  CHECK(joined->Finish().error_message() == "the driver stops");
  CHECK(served.Ends());
}

TEST_CASE("who shows no token, or another, is not let in; nor is who shows no job's secret") {
  Served served;
  for (const char* token : {"", "other"}) {
    const grpc::Status refused = served.Ask(token, "").get();
    CHECK(refused.error_code() == grpc::StatusCode::UNAUTHENTICATED);
    CHECK(absl::StrContains(refused.error_message(), "TWINKLE_TOKEN_FILE"));
  }
  auto guess = served.Ask("", "guess");
  served.executor.RunOne();
  CHECK(guess.get().error_code() == grpc::StatusCode::UNAUTHENTICATED);
  auto command = served.Ask("token", "");
  served.executor.RunOne();
  CHECK(command.get().ok());
  CHECK(served.Ends());
}

TEST_CASE("who speaks another protocol is told so before anything else, with both numbers") {
  Served served;
  for (const char* said : {"", "2", "what\n"}) {
    CAPTURE(said);
    grpc::ClientContext program, command, rank;
    for (grpc::ClientContext* context : {&program, &command, &rank}) {
      if (*said != 0) context->AddMetadata(rpc::kProtocolKey, *said == 'w' ? "what" : said);
      context->AddMetadata(rpc::kTokenKey, "token");
      context->AddMetadata(rpc::kSecretKey, "secret");
    }
    const auto check = [](const grpc::Status& status) {
      CHECK(status.error_code() == grpc::StatusCode::FAILED_PRECONDITION);
      CHECK_THAT(status.error_message(),
                 Catch::Matchers::ContainsSubstring("this twinkle-driver speaks protocol 1, and who calls it"));
    };
    check(served.stub->Job(&program)->Finish());
    v1::ClusterStatus status;
    check(served.stub->GetStatus(&command, v1::Nothing(), &status));
    auto answer = std::async(std::launch::async, [&] {
      v1::Components components;
      return served.stub->ListComponents(&rank, v1::JobId(), &components);
    });
    served.executor.RunOne();
    check(answer.get());
  }
  CHECK(served.let_in_calls == 0);
}

TEST_CASE("who adds a component is let in, or refused, before the component is read") {
  Served served;
  grpc::ClientContext program_context, context, other_context;
  const auto program = served.Submit(&program_context);
  const int before = served.let_in_calls;
  rpc::Introduce(context, rpc::kSecretKey, "secret");
  rpc::Introduce(other_context, rpc::kSecretKey, "guess");
  v1::AddComponentReply reply;
  const auto refused = served.stub->AddComponent(&other_context, &reply);
  served.executor.RunOne();
  CHECK(refused->Finish().error_code() == grpc::StatusCode::UNAUTHENTICATED);
  const auto writer = served.stub->AddComponent(&context, &reply);
  served.executor.RunOne();
  CHECK(served.let_in_calls == before + 1);
  v1::Component component;
  component.set_name("policy");
  writer->WriteLast(component, grpc::WriteOptions());
  served.executor.RunOne();
  CHECK(writer->Finish().ok());
  CHECK(reply.component().name() == "policy");
  CHECK(served.Ends());
}

TEST_CASE("a component of megabytes that is the first of a connection is added: its caller is no stranger") {
  Served served;
  grpc::ClientContext program_context, context;
  const auto program = served.Submit(&program_context);
  rpc::Introduce(context, rpc::kSecretKey, "secret");
  const auto stub = v1::Driver::NewStub(rpc::NewChannel(absl::StrCat("127.0.0.1:", served.listener->port())));
  v1::Component component;
  component.set_description(std::string(3'000'000, 'd'));
  v1::AddComponentReply reply;
  auto added = std::async(std::launch::async, [&] {
    const auto writer = stub->AddComponent(&context, &reply);
    writer->WriteLast(component, grpc::WriteOptions());
    return writer->Finish();
  });
  served.executor.RunOne();
  served.executor.RunOne();
  CHECK(added.get().ok());
  CHECK(reply.component().description() == component.description());
  CHECK(served.Ends());
}

TEST_CASE("a second daemon of a name is told why it is not let in") {
  Served served;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReaderWriter<v1::NodeToDriver, v1::DriverToNode>>> streams;
  for (int pid : {11, 12}) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    rpc::Introduce(*contexts.back(), rpc::kTokenKey, "token");
    streams.push_back(served.stub->Node(contexts.back().get()));
    v1::NodeToDriver join;
    *join.mutable_join() = NodeOf("a", 1, 0);
    join.mutable_join()->mutable_place()->set_pid(pid);
    REQUIRE(streams.back()->Write(join));
    served.executor.RunOne();
  }
  v1::DriverToNode told;
  CHECK(streams[0]->Read(&told));
  CHECK_FALSE(streams[1]->Read(&told));
  const grpc::Status refused = streams[1]->Finish();
  CHECK(refused.error_code() == grpc::StatusCode::ALREADY_EXISTS);
  CHECK(absl::StrContains(refused.error_message(), "there is a node 'a' already (host-a, pid 11)"));
  CHECK(served.Ends());
}

}  // namespace
}  // namespace twinkle::driver

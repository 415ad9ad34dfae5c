#include "tests/benchmark/grpc_floor.h"

#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "tests/benchmark/echo.grpc.pb.h"

namespace twinkle::benchmark {
namespace {

class EchoService final : public Echo::Service {
 public:
  grpc::Status Say(grpc::ServerContext*, const Number* request, Number* reply) override {
    reply->set_value(request->value() + 1);
    return grpc::Status::OK;
  }
};

}  // namespace

int ServeEcho(const std::string& target) {
  EchoService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(target, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  while (::getppid() > 1) ::usleep(100'000);  // ended by a signal, or with its parent
  return 0;
}

struct GrpcFloor::State {
  pid_t server = 0;
  std::unique_ptr<Echo::Stub> stub;
  int64_t next = 0;
};

GrpcFloor::GrpcFloor(const std::string& program) : state_(std::make_unique<State>()) {
  std::string target = "unix-abstract:twinkle-floor-" + std::to_string(::getpid());
  std::string words[] = {program, "--serve-echo", target};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  if (::posix_spawn(&state_->server, program.c_str(), nullptr, nullptr, arguments, environ) != 0) std::abort();
  const auto channel = grpc::CreateChannel(target, grpc::InsecureChannelCredentials());
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) std::abort();
  state_->stub = Echo::NewStub(channel);
}

GrpcFloor::~GrpcFloor() {
  ::kill(state_->server, SIGKILL);
  ::waitpid(state_->server, nullptr, 0);
}

void GrpcFloor::Call() {
  grpc::ClientContext context;
  Number request;
  request.set_value(state_->next++);
  Number reply;
  if (!state_->stub->Say(&context, request, &reply).ok() || reply.value() != state_->next) std::abort();
}

}  // namespace twinkle::benchmark

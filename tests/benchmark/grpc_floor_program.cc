// twinkle-grpc-floor: makes as many bare gRPC calls as each line of its input says, and prints how long each took, in
// microseconds. With --serve TARGET: answers them, until its parent ends.
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/benchmark/echo.grpc.pb.h"
#include "tests/benchmark/measure.h"

namespace twinkle::benchmark {
namespace {

class EchoService final : public Echo::Service {
 public:
  grpc::Status Say(grpc::ServerContext*, const Number* request, Number* reply) override {
    reply->set_value(request->value() + 1);
    return grpc::Status::OK;
  }
};

int Serve(const std::string& target) {
  EchoService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(target, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  while (::getppid() > 1) ::usleep(100'000);  // ended by a signal, or with its parent
  return 0;
}

pid_t StartServer(std::string program, std::string target) {
  std::string option = "--serve";
  char* arguments[] = {program.data(), option.data(), target.data(), nullptr};
  pid_t server = 0;
  if (::posix_spawn(&server, "/proc/self/exe", nullptr, nullptr, arguments, environ) != 0) std::abort();
  return server;
}

int Call(const std::string& target) {
  const auto channel = grpc::CreateChannel(target, grpc::InsecureChannelCredentials());
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) return 1;
  const auto stub = Echo::NewStub(channel);
  int64_t next = 0;
  for (int samples = 0; std::cin >> samples;) {
    for (double time : Latencies(samples, 1e6, [&] {
           grpc::ClientContext context;
           Number request;
           request.set_value(next++);
           Number reply;
           if (!stub->Say(&context, request, &reply).ok() || reply.value() != next) std::abort();
         })) {
      std::cout << time << '\n';
    }
    std::cout << std::flush;
  }
  return 0;
}

}  // namespace
}  // namespace twinkle::benchmark

int main(int argc, char** argv) {
  namespace benchmark = twinkle::benchmark;
  if (argc == 3 && std::string(argv[1]) == "--serve") return benchmark::Serve(argv[2]);
  const std::string target = "unix-abstract:twinkle-floor-" + std::to_string(::getpid());
  const pid_t server = benchmark::StartServer(argv[0], target);
  const int result = benchmark::Call(target);
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  return result;
}

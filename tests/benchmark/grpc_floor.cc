#include "tests/benchmark/grpc_floor.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace twinkle::benchmark {

GrpcFloor::GrpcFloor() {
  std::string program = std::filesystem::read_symlink("/proc/self/exe").replace_filename("twinkle-grpc-floor");
  int orders[2];
  int answers[2];
  if (::pipe2(orders, O_CLOEXEC) != 0 || ::pipe2(answers, O_CLOEXEC) != 0) std::abort();
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, orders[0], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, answers[1], STDOUT_FILENO);
  char* arguments[] = {program.data(), nullptr};
  if (::posix_spawn(&process_, program.c_str(), &files, nullptr, arguments, environ) != 0) std::abort();
  ::posix_spawn_file_actions_destroy(&files);
  ::close(orders[0]);
  ::close(answers[1]);
  orders_ = ::fdopen(orders[1], "w");
  answers_ = ::fdopen(answers[0], "r");
}

GrpcFloor::~GrpcFloor() {
  std::fclose(orders_);  // it ends
  std::fclose(answers_);
  ::waitpid(process_, nullptr, 0);
}

std::vector<double> GrpcFloor::Latencies(int samples) {
  std::fprintf(orders_, "%d\n", samples);
  std::fflush(orders_);
  std::vector<double> times(static_cast<size_t>(samples));
  for (double& time : times) {
    if (std::fscanf(answers_, "%lf", &time) != 1) std::abort();
  }
  return times;
}

}  // namespace twinkle::benchmark

// Bare gRPC, beside what is measured.
#pragma once

#include <memory>
#include <string>

namespace twinkle::benchmark {

// Serves until its standard input ends.
int ServeEcho(const std::string& target);

// A blocking unary call, over a Unix socket, to a synchronous server in a process of its own.
class GrpcFloor {
 public:
  // `program`: this one, which serves when it is started with --serve-echo TARGET.
  explicit GrpcFloor(const std::string& program);
  ~GrpcFloor();
  void Call();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace twinkle::benchmark

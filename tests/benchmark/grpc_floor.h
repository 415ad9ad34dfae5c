// Bare gRPC, beside what is measured.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <vector>

namespace twinkle::benchmark {

// A blocking unary call over a Unix socket to a synchronous server. Client and server are processes of their own
// (twinkle-grpc-floor, beside this program): the ranks that are measured do not load what they need.
class GrpcFloor {
 public:
  GrpcFloor();
  ~GrpcFloor();

  // How long each of `samples` calls took, in microseconds, after some that warm up.
  std::vector<double> Latencies(int samples);

 private:
  pid_t process_ = 0;
  FILE* orders_ = nullptr;
  FILE* answers_ = nullptr;
};

}  // namespace twinkle::benchmark

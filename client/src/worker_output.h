// The output of worker processes, shown by the program.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/base/clock.h"
#include "runtime/rpc/keep_alive.h"

namespace twinkle::internal {

// Shows "[policy:2 pid host] line" on this process's own standard output or error, on a terminal in a colour for each
// rank. What cannot be written there is lost, and a warning of the log says so once. Thread-safe.
class WorkerOutput {
 public:
  // Watches a job on these nodes from its beginning, in threads of gRPC's.
  WorkerOutput(uint64_t job, const std::vector<v1::NodeDescription>& nodes, const std::string& machine,
               const std::string& token, const rpc::KeepAlive& keep_alive);
  ~WorkerOutput();

  // Blocks until all nodes have said that no more comes, or the deadline, or a little longer while lines keep coming.
  void AwaitEnd(base::Instant deadline);

 private:
  class Watching;
  std::vector<std::shared_ptr<Watching>> nodes_;
};

// The line as it is shown; `continued`: it goes on with one that was cut, and says so.
std::string OutputText(const v1::Output::Line& line, const std::string& host, bool colour, bool continued = false);

}  // namespace twinkle::internal

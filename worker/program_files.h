// Programs that are not on a node: brought from the node on which they run.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/base/fd_loop.h"
#include "runtime/rpc/fd_channel.h"

namespace twinkle::worker {

// Gives other node daemons the file that a process of this machine runs. Callers show the cluster's token.
class ProgramService final : public v1::ProgramFiles::CallbackService {
 public:
  explicit ProgramService(std::string token) : token_(std::move(token)) {}
  grpc::ServerWriteReactor<v1::FileChunk>* Fetch(grpc::CallbackServerContext* context,
                                                 const v1::FetchProgram* request) override;

 private:
  const std::string token_;
};

// Copies are memory files: they are checked, kept as long as the daemon, and leave nothing behind. For the loop's
// thread.
class ProgramFetcher {
 public:
  using Done = std::function<void(absl::StatusOr<rpc::Fd>)>;

  ProgramFetcher(std::string token, base::FdLoop* loop) : token_(std::move(token)), loop_(*loop) {}
  // Waits for what is under way.
  ~ProgramFetcher();

  // Brings the program, or with a path the file that it needs, with that digest, from the node daemon at that address.
  // Calls `done` on the loop, at once for what was brought before. Unavailable: the node does not answer; DataLoss:
  // what came is another file.
  void Fetch(const v1::FetchProgram& wanted, const std::string& digest, const std::string& from, Done done);

 private:
  const std::string token_;
  base::FdLoop& loop_;
  std::map<std::string, rpc::Fd> copies_;             // by digest
  std::map<std::string, std::vector<Done>> waiting_;  // by digest
  std::vector<std::thread> threads_;
};

}  // namespace twinkle::worker

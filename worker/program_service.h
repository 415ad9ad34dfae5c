// The gRPC service ProgramFiles: files of programs of this machine, for the node daemons of other machines.
#pragma once

#include <string>

#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/rpc/token_check.h"
#include "worker/side_threads.h"

namespace twinkle::worker {

// Sends other node daemons the file that a process of this machine runs, or a file that it needs. Thread-safe; gRPC
// calls it. Never blocks: each file is read on a thread of its own, so storage that hangs delays one call, which its
// caller can still cancel. At most 64 files are read at once.
class ProgramService final : public v1::ProgramFiles::CallbackService {
 public:
  // Callers must show the cluster's token. `pids`: this daemon's, as in v1::Place. `threads` must outlive the service.
  ProgramService(rpc::TokenCheck token, std::string pids, SideThreads* threads)
      : token_(std::move(token)), pids_(std::move(pids)), threads_(*threads) {}

  // Sends the requested file in chunks, and ends with OK. Unauthenticated: the caller has not shown the token;
  // ResourceExhausted: too many files are being read; InvalidArgument: it is no regular file; other errors: the
  // kernel's (NotFound: there is no such file).
  grpc::ServerWriteReactor<v1::FileChunk>* Fetch(grpc::CallbackServerContext* context,
                                                 const v1::FetchProgram* request) override;
  // Fetch for a caller that has shown the token already. The reactor owns itself until gRPC is done with it.
  grpc::ServerWriteReactor<v1::FileChunk>* Serve(const v1::FetchProgram& request);

 private:
  // The path to open on this machine. The running executable (/proc/PID/exe) where the pid means the same process here.
  std::string PathOf(const v1::FetchProgram& wanted) const;

  const rpc::TokenCheck token_;
  const std::string pids_;
  SideThreads& threads_;
};

}  // namespace twinkle::worker

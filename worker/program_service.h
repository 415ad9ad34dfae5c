// Files of programs of this machine, for the node daemons of others.
#pragma once

#include <string>

#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/rpc/token_check.h"
#include "worker/side_threads.h"

namespace twinkle::worker {

// Gives other node daemons the file that a process of this machine runs, or a file that it needs. Callers show the
// cluster's token. Each file is read on a thread of its own: storage that hangs delays that one call, which the caller
// can still cancel.
class ProgramService final : public v1::ProgramFiles::CallbackService {
 public:
  // `pids`: as in Place, this daemon's.
  ProgramService(rpc::TokenCheck token, std::string pids, SideThreads* threads)
      : token_(std::move(token)), pids_(std::move(pids)), threads_(*threads) {}

  // Unauthenticated; ResourceExhausted: too many are being read; InvalidArgument: no regular file; what the kernel
  // says.
  grpc::ServerWriteReactor<v1::FileChunk>* Fetch(grpc::CallbackServerContext* context,
                                                 const v1::FetchProgram* request) override;
  // The same for a caller that has shown the token.
  grpc::ServerWriteReactor<v1::FileChunk>* Serve(const v1::FetchProgram& request);

 private:
  std::string PathOf(const v1::FetchProgram& wanted) const;

  const rpc::TokenCheck token_;
  const std::string pids_;
  SideThreads& threads_;
};

}  // namespace twinkle::worker

// The gRPC service NodeOutput: the output of worker processes, for programs and commands.
#pragma once

#include <string>

#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/rpc/token_check.h"
#include "worker/output_store.h"

namespace twinkle::worker {

// Streams the output of a job's processes on this node to watchers. Thread-safe; gRPC calls it. Never blocks: a watcher
// that does not read has up to 64 MiB waiting for it, then it loses the oldest lines and is told how many.
class OutputService final : public v1::NodeOutput::CallbackService {
 public:
  // Callers must show the cluster's token. `store` must outlive the service and the calls to it.
  OutputService(rpc::TokenCheck token, OutputStore* store) : token_(std::move(token)), store_(*store) {}
  // Sends the kept lines that the request asks for, then, with `follow`, all further lines until the job has ended.
  // Ends with OK; Unauthenticated: the caller has not shown the token; NotFound: the job has no processes on this node;
  // Cancelled: the caller has left.
  grpc::ServerWriteReactor<v1::Output>* Watch(grpc::CallbackServerContext* context,
                                              const v1::WatchJob* request) override;
  // Watch for a caller that has shown the token already. The reactor owns itself until gRPC is done with it.
  grpc::ServerWriteReactor<v1::Output>* Serve(const v1::WatchJob& request);

 private:
  const rpc::TokenCheck token_;
  OutputStore& store_;
};

}  // namespace twinkle::worker

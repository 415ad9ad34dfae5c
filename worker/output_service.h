// The output of worker processes, for programs and commands.
#pragma once

#include <string>

#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/rpc/token_check.h"
#include "worker/output_store.h"

namespace twinkle::worker {

// Callers show the cluster's token.
class OutputService final : public v1::NodeOutput::CallbackService {
 public:
  OutputService(rpc::TokenCheck token, OutputStore* store) : token_(std::move(token)), store_(*store) {}
  grpc::ServerWriteReactor<v1::Output>* Watch(grpc::CallbackServerContext* context,
                                              const v1::WatchJob* request) override;
  // The same for a caller that has shown the token.
  grpc::ServerWriteReactor<v1::Output>* Serve(const v1::WatchJob& request);

 private:
  const rpc::TokenCheck token_;
  OutputStore& store_;
};

}  // namespace twinkle::worker

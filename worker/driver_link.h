// The node daemon's connection to the driver.
#pragma once

#include <absl/status/status.h>

#include <functional>
#include <memory>
#include <string>

#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/rpc/streams.h"

namespace twinkle::worker {

// Thread-safe.
class DriverLink {
 public:
  using Stream = rpc::ClientStream<v1::NodeToDriver, v1::DriverToNode>;

  DriverLink(const std::string& target, std::string token);

  // Joins; a driver that is not there yet is waited for. Events come on threads of gRPC's.
  void Connect(const v1::NodeDescription& node, Stream::Events events);
  void Send(v1::NodeToDriver message);
  void Cancel();

 private:
  const std::string token_;
  const std::unique_ptr<v1::Driver::Stub> stub_;
  std::shared_ptr<Stream> stream_;
};

}  // namespace twinkle::worker

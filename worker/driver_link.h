// The node daemon's connection to the driver.
#pragma once

#include <absl/status/status.h>

#include <functional>
#include <memory>
#include <string>

#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/base/event.h"
#include "runtime/rpc/keep_alive.h"
#include "runtime/rpc/streams.h"

namespace twinkle::worker {

// One connection at a time. For one thread; events come on threads of gRPC's, and none once the destructor has
// returned.
class DriverLink {
 public:
  using Stream = rpc::ClientStream<v1::NodeToDriver, v1::DriverToNode>;

  DriverLink(const std::string& target, std::string token, const rpc::KeepAlive& keep_alive = {});
  ~DriverLink() { Close(); }

  // Joins, once the connection before has ended. `patient`: a driver that is not there yet is waited for, else it is an
  // end with what the network says.
  void Connect(const v1::NodeDescription& node, bool patient, Stream::Events events);
  // Dropped where there is no connection.
  void Send(v1::NodeToDriver message);
  // Ends the connection, and waits until its last event has come back.
  void Close();

 private:
  const std::string token_;
  const std::unique_ptr<v1::Driver::Stub> stub_;
  std::shared_ptr<Stream> stream_;
  std::shared_ptr<base::Event> ended_;  // of the stream
};

}  // namespace twinkle::worker

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

// The node daemon's stream to the driver: one connection at a time, which can be made anew. For one thread at a time.
// Events come on gRPC's threads; none comes once the destructor has returned.
class DriverLink {
 public:
  using Stream = rpc::ClientStream<v1::NodeToDriver, v1::DriverToNode>;

  DriverLink(const std::string& target, std::string token, const rpc::KeepAlive& keep_alive = {});
  ~DriverLink() { Close(); }

  // Opens a connection and joins with `node`. The connection before must have ended. `patient`: waits for a driver that
  // is not there yet; otherwise the connection ends with the network's error.
  void Connect(const v1::NodeDescription& node, bool patient, Stream::Events events);
  // Sends a message. Without a connection the message is dropped.
  void Send(v1::NodeToDriver message);
  // Ends the connection. Blocks until its last event has returned.
  void Close();

 private:
  const std::string token_;
  const std::unique_ptr<v1::Driver::Stub> stub_;
  std::shared_ptr<Stream> stream_;
  std::shared_ptr<base::Event> ended_;  // set when the stream has ended
};

}  // namespace twinkle::worker

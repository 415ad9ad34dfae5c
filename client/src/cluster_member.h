// A member of a job on a cluster: what each of its processes, the program and its workers alike, joins it with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/src/cluster_directory.h"
#include "client/src/cluster_placement.h"
#include "client/src/peer_table.h"
#include "runtime/actor/process.h"
#include "runtime/rpc/grpc/grpc_transport.h"

namespace twinkle::internal {

struct ClusterMember {
  std::unique_ptr<rpc::GrpcTransport> transport;  // which listens
  std::shared_ptr<PeerTable> table;
  std::vector<actor::GroupInfo> groups;
  std::string driver;  // gRPC target
  std::string secret;  // the job's
  size_t prefault_bytes = 0;
  rpc::KeepAlive keep_alive = {};  // of its connection to the driver
  // Programs and workers have these of their own.
  decltype(actor::Surroundings::notifier) notifier = {};
  EndGroup end_group = {};
};

// Starts the process. Null: there are no threads for it.
std::shared_ptr<actor::Process> StartProcess(actor::ProcessOptions options, ClusterMember member);

}  // namespace twinkle::internal

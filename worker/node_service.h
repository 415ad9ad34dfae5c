// Everything that one node's daemon is made of.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <string>

#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/fd_loop.h"
#include "runtime/rpc/keep_alive.h"
#include "runtime/rpc/listener.h"
#include "runtime/rpc/parent_link.h"
#include "worker/driver_link.h"
#include "worker/environment.h"
#include "worker/log_files.h"
#include "worker/loop_door.h"
#include "worker/node_daemon.h"
#include "worker/output_service.h"
#include "worker/output_store.h"
#include "worker/program_service.h"
#include "worker/program_store.h"
#include "worker/side_threads.h"
#include "worker/spawner.h"

namespace twinkle::worker {

// Free ports of the node that the driver is told, each time anew.
inline constexpr int kPortsTold = 32;

struct ServiceOptions {
  std::string driver;  // gRPC target
  std::string token;
  DriverAccess access;             // for programs that worker processes start
  std::string host;                // for other machines; empty: none can reach this one
  bool own_machine_alone = false;  // programs of other machines are refused
  std::string log_folder;
  absl::Duration start_limit = absl::Seconds(20);
  absl::Duration stopped_limit = absl::Hours(1);
  uint64_t object_memory = 0;
  rpc::KeepAlive keep_alive = {};  // of connections between machines
  v1::NodeDescription node;        // Listen completes its endpoint
};

// The daemon on its one loop, the services that it offers, and its connection to the driver, which is made again when
// it breaks. For one thread.
class NodeService {
 public:
  NodeService(ServiceOptions options, Spawner spawner);
  ~NodeService();
  NodeService(const NodeService&) = delete;
  NodeService& operator=(const NodeService&) = delete;

  // Listener::Open's, which says why it cannot listen there.
  absl::Status Listen();
  // Until SIGINT or SIGTERM, until the parent (of a private cluster; else null) is gone, or until it cannot go on. The
  // exit code. Blocks.
  int Run(const rpc::ParentLink* parent);

 private:
  rpc::TokenCheck Check();
  void Connect();
  void OnMessage(const v1::DriverToNode& message);
  void SayAlive(int connection);
  void OnDriverGone(const absl::Status& why);
  void ConnectWhenIdle(base::Instant latest);
  void TellUnreachable(const std::string& why);
  void OnSpawnerGone();
  void OnParentGone(int fd);
  void Stop();
  void StopWhenIdle();
  // What the spawner has started, and all that is its to remove.
  void EndSpawner();
  // To files and watchers, the last lines too.
  void EndOutput();
  // On stderr; services of a private cluster are silent.
  void Say(const std::string& text) const;

  const ServiceOptions options_;
  v1::NodeDescription node_;
  base::FdLoop loop_;
  const LoopDoor door_;
  const std::unique_ptr<base::Executor> executor_;
  SideThreads threads_;
  LogFiles logs_;
  OutputStore output_;
  std::unique_ptr<rpc::Listener> listener_;  // made by Listen
  OutputService output_service_;
  ProgramService program_service_;
  ProgramStore store_;
  NodeDaemon daemon_;
  std::unique_ptr<grpc::Server> server_;
  DriverLink link_;
  const rpc::ParentLink* parent_ = nullptr;
  bool joined_ = false;
  absl::Duration alive_interval_;  // once joined
  int connection_ = 0;
  base::Instant told_unreachable_ = base::kLongAgo;
  bool stopping_ = false;
  bool spawner_gone_ = false;
  base::Instant deadline_;
  int exit_code_ = 0;
};

}  // namespace twinkle::worker

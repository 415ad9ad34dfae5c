// The whole service of a node daemon, put together.
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

// How many free TCP ports a node reports to the driver at a time.
inline constexpr int kPortsTold = 32;

struct ServiceOptions {
  std::string driver;  // gRPC target
  std::string token;
  DriverAccess access;             // for programs that worker processes start
  std::string host;                // this node's address for other machines; empty: they cannot reach it
  bool own_machine_alone = false;  // refuses programs of other machines
  std::string log_folder;
  absl::Duration start_limit = absl::Seconds(20);
  absl::Duration stopped_limit = absl::Hours(1);
  uint64_t object_memory = 0;
  rpc::KeepAlive keep_alive = {};  // for connections between machines
  v1::NodeDescription node;        // Listen completes its endpoint
};

// A node daemon with its loop, the gRPC services that it offers, and its connection to the driver, which is made again
// when it breaks. For one thread at a time.
class NodeService {
 public:
  NodeService(ServiceOptions options, Spawner spawner);
  ~NodeService();
  NodeService(const NodeService&) = delete;
  NodeService& operator=(const NodeService&) = delete;

  // Begins to serve. Errors as rpc::Listener::Open; Internal: gRPC's server does not start.
  absl::Status Listen();
  // Runs the daemon. Returns its exit code after SIGINT or SIGTERM, when `parent` is gone (the program of a private
  // cluster; else null), or when the daemon cannot go on. Blocks until then.
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
  // Ends the spawner, everything that it has started, and removes what these leave behind.
  void EndSpawner();
  // Passes the last lines of output to watchers and log files, and ends both.
  void EndOutput();
  // Writes a line to stderr. A private cluster's services write none.
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
  absl::Duration alive_interval_;  // how often the node says that it is alive; known once it has joined
  int connection_ = 0;
  base::Instant told_unreachable_ = base::kLongAgo;
  bool stopping_ = false;
  bool spawner_gone_ = false;
  base::Instant deadline_;
  int exit_code_ = 0;
};

}  // namespace twinkle::worker

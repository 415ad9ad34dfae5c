// Services: what the parts of a process share. All of it is constant while the process runs.
#pragma once

#include <absl/strings/string_view.h>
#include <absl/time/time.h>
#include <twinkle/device_mesh.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/actor/directory.h"
#include "runtime/actor/life.h"
#include "runtime/actor/messages.h"
#include "runtime/actor/placement.h"
#include "runtime/base/executor.h"
#include "runtime/object/failure_log.h"
#include "runtime/object/spiller.h"
#include "runtime/rpc/traffic.h"
#include "runtime/rpc/transport.h"

namespace twinkle::actor {

class Binder;

// The options of a process: who it is and how it behaves.
struct ProcessOptions {
  base::JobKey job = 0;
  rpc::ProcessId id = rpc::kProgram;
  std::string group;  // empty: the program
  int rank = 0;
  int world_size = 1;
  std::vector<rpc::ProcessId> group_workers;
  std::vector<int> devices;
  std::string place;  // "host, pid 123"
  uint64_t seed = 0;
  std::optional<DeviceMesh> session_mesh;
  bool sync = false;
  bool lazy_collect = true;
  absl::Duration abort_grace = absl::Seconds(30);
  size_t inline_bytes = 64 << 10;     // results up to this size travel with the reply
  size_t max_pending_calls = 10'000;  // of this process
  object::SpillOptions spill;
};

// The services of one process, which outlive its parts. What they point to is thread-safe, or says who may use it.
struct Services {
  ProcessOptions options;
  base::Executor* executor = nullptr;
  base::TaskQueue* service = nullptr;    // the service queue: calls, hosted components and objects are confined to it
  base::TaskQueue* collector = nullptr;  // where results are joined, and where what may block is asked
  Binder* binder = nullptr;
  Directory* directory = nullptr;
  Placement* placement = nullptr;
  rpc::Transport* transport = nullptr;
  std::shared_ptr<object::FailureLog> failures;
  std::shared_ptr<rpc::Traffic> traffic;
  Life life;

  // Encodes and sends; a peer that is gone is told of by OnLost.
  template <class M>
  void Send(rpc::ProcessId to, rpc::Stream stream, const M& message) const {
    transport->Send(to, stream, EncodeMessage(message)).IgnoreError();
  }
};

}  // namespace twinkle::actor

// The daemon's connection to one worker process: the role's socket, and the pipes into which the process prints.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "proto/twinkle/v1/local.pb.h"
#include "runtime/base/fd_loop.h"
#include "runtime/rpc/fd_channel.h"
#include "worker/line_splitter.h"

namespace twinkle::worker {

// The worker process's ends.
struct RankEnds {
  base::Fd role;
  base::Fd output;
  base::Fd error;
};

// The daemon's ends of a worker process's socket and pipes. Confined to the loop's thread. Never blocks. Events come
// from the loop, and from Drain. The process is not trusted: what is no message ends the reading from its socket, and
// not the daemon.
class RankLink {
 public:
  struct Events {
    // A message of the process.
    std::function<void(const v1::FromWorker&)> on_said;
    // Lines of output. `error`: of standard error.
    std::function<void(bool error, const std::vector<OutputLine>&)> on_printed;
    // The process has closed its role's socket, by its end or before: no message follows. Output may still follow.
    std::function<void()> on_left;
  };

  // Makes the socket and the pipes; `ends` gets the process's ends. ResourceExhausted and others: what the kernel is
  // short of.
  static absl::StatusOr<std::unique_ptr<RankLink>> Make(base::FdLoop* loop, Events events, RankEnds* ends);
  ~RankLink();
  RankLink(const RankLink&) = delete;
  RankLink& operator=(const RankLink&) = delete;

  // Sends a message. What the process does not take yet is queued here.
  void Write(const v1::ToWorker& message);
  // Reads and reports all that was printed so far, unfinished lines included: for when the process has ended.
  void Drain();

 private:
  struct Pipe {
    base::Fd fd;
    LineSplitter splitter;
    bool waits = false;  // for a progress bar to stop moving
  };
  RankLink(base::FdLoop* loop, Events events, base::Fd role, base::Fd output, base::Fd error);

  void Written(const absl::StatusOr<bool>& done);
  void OnRole();
  void OnOutput(size_t index);
  void ReadOutput(size_t index);
  void Flush(size_t index);

  base::FdLoop& loop_;
  const Events events_;
  base::Fd role_;
  rpc::MessageReader reader_;
  rpc::MessageWriter writer_;
  std::array<Pipe, 2> pipes_;                                         // output, error
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for timers
};

}  // namespace twinkle::worker

// What connects the daemon with one worker process: its role's socket, and the pipes that it prints into.
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

// The process's ends.
struct RankEnds {
  base::Fd role;
  base::Fd output;
  base::Fd error;
};

// For the loop's thread. Never blocks. What the process says and prints is told from the loop, and from Drain; it may
// say anything: a message that is none ends the listening, not the daemon.
class RankLink {
 public:
  struct Events {
    std::function<void(const v1::FromWorker&)> on_said;
    std::function<void(bool error, const std::vector<OutputLine>&)> on_printed;
    // It has closed its role's socket, by its end or before that: nothing is said any more. What it prints may come.
    std::function<void()> on_left;
  };

  // ResourceExhausted and the like: what the kernel is short of.
  static absl::StatusOr<std::unique_ptr<RankLink>> Make(base::FdLoop* loop, Events events, RankEnds* ends);
  ~RankLink();
  RankLink(const RankLink&) = delete;
  RankLink& operator=(const RankLink&) = delete;

  // What the process does not take waits here.
  void Write(const v1::ToWorker& message);
  // Tells what has been printed so far, lines that have not ended among it: for when the process has ended.
  void Drain();

 private:
  struct Pipe {
    base::Fd fd;
    LineSplitter splitter;
    bool waits = false;  // for a progress bar to stand still
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

#include "worker/rank_link.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "runtime/base/shortage.h"
#include "runtime/base/status.h"

namespace twinkle::worker {
namespace {

constexpr size_t kLongestLine = 64 << 10;  // bytes; longer lines come in pieces
constexpr size_t kReadBytes = 64 << 10;
constexpr size_t kReadAtOnce = 1 << 20;      // bytes, before it is another process's turn
constexpr size_t kLongestMessage = 4 << 20;  // bytes of a process's message
// Without output, then a progress bar's line is reported unfinished.
constexpr absl::Duration kProgressMoment = absl::Milliseconds(200);

absl::StatusOr<std::pair<base::Fd, base::Fd>> NewPipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::ErrnoStatus(errno, "a pipe could not be made");
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return std::make_pair(base::Fd(ends[0]), base::Fd(ends[1]));
}

}  // namespace

absl::StatusOr<std::unique_ptr<RankLink>> RankLink::Make(base::FdLoop* loop, Events events, RankEnds* ends) {
  TWINKLE_ASSIGN_OR_RETURN(auto role, rpc::SocketPair());
  TWINKLE_ASSIGN_OR_RETURN(auto output, NewPipe());
  TWINKLE_ASSIGN_OR_RETURN(auto error, NewPipe());
  ::fcntl(role.first.get(), F_SETFL, O_NONBLOCK);
  *ends = {std::move(role.second), std::move(output.second), std::move(error.second)};
  return std::unique_ptr<RankLink>(
      new RankLink(loop, std::move(events), std::move(role.first), std::move(output.first), std::move(error.first)));
}

RankLink::RankLink(base::FdLoop* loop, Events events, base::Fd role, base::Fd output, base::Fd error)
    : loop_(*loop),
      events_(std::move(events)),
      role_(std::move(role)),
      reader_(role_.get(), {.most_bytes = kLongestMessage}),
      writer_(role_.get()),
      pipes_{Pipe{std::move(output), LineSplitter(kLongestLine)}, Pipe{std::move(error), LineSplitter(kLongestLine)}} {
  loop_.Watch(role_.get(), [this] { OnRole(); });
  for (size_t i = 0; i < pipes_.size(); ++i) {
    loop_.Watch(pipes_[i].fd.get(), [this, i] { OnOutput(i); });
  }
}

RankLink::~RankLink() {
  *alive_ = false;
  loop_.Forget(role_.get());
  for (const Pipe& pipe : pipes_) {
    if (pipe.fd.valid()) loop_.Forget(pipe.fd.get());
  }
}

// ---- the role
void RankLink::Write(const v1::ToWorker& message) { Written(writer_.Write(message)); }

// An error means that the process is gone, which its end reports.
void RankLink::Written(const absl::StatusOr<bool>& done) {
  if (!done.ok() || *done) return;
  if (writer_.shortage().empty()) return loop_.WaitWritable(role_.get(), [this] { Written(writer_.Flush()); });
  loop_.PostAfter(rpc::kShortageWait, [this, alive = alive_] {
    if (*alive) Written(writer_.Flush());
  });
}

void RankLink::OnRole() {
  const std::shared_ptr<bool> alive = alive_;
  while (*alive) {
    v1::FromWorker message;
    const absl::StatusOr<bool> read = reader_.Next(&message);
    if (!read.ok()) {
      loop_.Forget(role_.get());
      if (absl::IsUnavailable(read.status())) events_.on_left();
      return;
    }
    if (!*read) return;
    events_.on_said(message);
  }
}

// ---- output
void RankLink::OnOutput(size_t index) {
  ReadOutput(index);
  Pipe& pipe = pipes_[index];
  if (!pipe.splitter.has_progress() || std::exchange(pipe.waits, true)) return;
  loop_.PostAfter(kProgressMoment, [this, index, alive = alive_] {
    if (!*alive) return;
    pipes_[index].waits = false;
    if (pipes_[index].splitter.has_progress()) Flush(index);
  });
}

void RankLink::ReadOutput(size_t index) {
  Pipe& pipe = pipes_[index];
  if (!pipe.fd.valid()) return;
  std::vector<char> chunk(kReadBytes);
  std::vector<OutputLine> lines;
  ssize_t got = 0;
  size_t total = 0;
  do {
    got = ::read(pipe.fd.get(), chunk.data(), chunk.size());
    if (got <= 0) break;
    pipe.splitter.Add({chunk.data(), static_cast<size_t>(got)}, &lines);
    total += static_cast<size_t>(got);
  } while (total < kReadAtOnce);
  if (got == 0) {
    loop_.Forget(pipe.fd.get());
    pipe.fd.Reset();
  }
  if (!lines.empty()) events_.on_printed(index == 1, lines);
}

void RankLink::Flush(size_t index) {
  std::vector<OutputLine> lines;
  pipes_[index].splitter.Flush(&lines);
  if (!lines.empty()) events_.on_printed(index == 1, lines);
}

void RankLink::Drain() {
  for (size_t i = 0; i < pipes_.size(); ++i) {
    ReadOutput(i);
    Flush(i);
  }
}

}  // namespace twinkle::worker

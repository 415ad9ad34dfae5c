#include "client/src/worker_output.h"

#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <set>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/log.h"
#include "runtime/base/names.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/wire_place.h"

namespace twinkle::internal {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(1);  // for more to come
constexpr absl::Duration kMostPatience = absl::Minutes(1);

}  // namespace

std::string OutputText(const v1::Output::Line& line, const std::string& host, bool colour, bool continued) {
  constexpr std::array<int, 6> kColours = {36, 32, 33, 35, 34, 31};
  const std::string who = absl::StrCat("[", line.group(), ":", line.rank(), " ", line.pid(), " ", host, "]");
  const std::string text =
      absl::StrCat(continued ? "… " : "", base::Printable(line.text(), base::Layout::kTabsAndColours),
                   line.continues() ? " …" : "", "\n");
  if (!colour) return absl::StrCat(who, " ", text);
  const int code = kColours[static_cast<size_t>(line.rank()) % kColours.size()];
  return absl::StrCat("\x1b[", code, "m", who, "\x1b[0m ", text);
}

// The output of one node. Keeps itself until the stream has ended.
class WorkerOutput::Watching final : public grpc::ClientReadReactor<v1::Output> {
 public:
  explicit Watching(std::shared_ptr<std::atomic<bool>> told_lost) : told_lost_(std::move(told_lost)) {}

  void Begin(const std::shared_ptr<Watching>& self, uint64_t job, const v1::NodeDescription& node,
             const std::string& target, const std::string& token, const rpc::KeepAlive& keep_alive) {
    self_ = self;
    host_ = node.place().host();
    rpc::KeepCallbacks();
    stub_ = v1::NodeOutput::NewStub(rpc::NewChannel(target, {.keep_alive = keep_alive}));
    request_.set_job(job);
    request_.set_tail(-1);
    request_.set_follow(true);
    request_.set_rank(-1);
    rpc::Introduce(context_, rpc::kTokenKey, token);
    stub_->async()->Watch(&context_, &request_, this);
    StartRead(&incoming_);
    StartCall();
  }
  void Cancel() { context_.TryCancel(); }
  // Waits until the deadline, and longer as long as something comes, up to kMostPatience.
  void AwaitEnd(base::Instant deadline) const {
    const base::Instant limit = deadline + kMostPatience;
    while (deadline < limit) {
      const uint64_t came = messages_;
      if (ended_.WaitUntil(deadline) || messages_ == came) return;
      deadline = base::Now() + kPatience;
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    Show();
    ++messages_;
    StartRead(&incoming_);
  }
  void OnDone(const grpc::Status&) override {
    const auto self = std::move(self_);
    ended_.Set();
  }

 private:
  // Shows lines. Those that follow each other on one stream are written at once.
  void Show() {
    const std::array<bool, 2> colour = {::isatty(STDOUT_FILENO) == 1, ::isatty(STDERR_FILENO) == 1};
    std::string text;
    for (int i = 0; i < incoming_.lines_size(); ++i) {
      const v1::Output::Line& line = incoming_.lines(i);
      std::FILE* const file = line.error() ? stderr : stdout;
      const auto stream = std::make_pair(line.process(), line.error());
      text += OutputText(line, host_, colour[line.error() ? 1 : 0], cut_.count(stream) != 0);
      if (line.continues()) {
        cut_.insert(stream);
      } else {
        cut_.erase(stream);
      }
      if (i + 1 < incoming_.lines_size() && incoming_.lines(i + 1).error() == line.error()) continue;
      if (std::fwrite(text.data(), 1, text.size(), file) != text.size() || std::fflush(file) != 0)
        TellLost(errno, line);
      text.clear();
    }
  }

  void TellLost(int error, const v1::Output::Line& line) {
    if (told_lost_->exchange(true)) return;
    base::Log(base::LogLevel::kWarning,
              absl::ErrnoToStatus(error, absl::StrCat("what worker processes print is lost while it cannot be written "
                                                      "to this program's standard ",
                                                      line.error() ? "error" : "output"))
                  .message());
  }

  const std::shared_ptr<std::atomic<bool>> told_lost_;  // all nodes'
  std::shared_ptr<Watching> self_;
  std::string host_;
  std::unique_ptr<v1::NodeOutput::Stub> stub_;
  grpc::ClientContext context_;
  v1::WatchJob request_;
  v1::Output incoming_;
  std::set<std::pair<uint64_t, bool>> cut_;  // processes' streams whose last line continues
  std::atomic<uint64_t> messages_ = 0;
  base::Event ended_;
};

WorkerOutput::WorkerOutput(uint64_t job, const std::vector<v1::NodeDescription>& nodes, const std::string& machine,
                           const std::string& token, const rpc::KeepAlive& keep_alive) {
  const auto told_lost = std::make_shared<std::atomic<bool>>(false);
  for (const v1::NodeDescription& node : nodes) {
    const std::string& target = rpc::TargetOf(node.place(), node.endpoint(), machine);
    if (target.empty()) continue;
    nodes_.push_back(std::make_shared<Watching>(told_lost));
    nodes_.back()->Begin(nodes_.back(), job, node, target, token, keep_alive);
  }
}

WorkerOutput::~WorkerOutput() {
  for (const auto& node : nodes_) node->Cancel();
  AwaitEnd(base::Now() + absl::Seconds(1));
}

void WorkerOutput::AwaitEnd(base::Instant deadline) {
  for (const auto& node : nodes_) node->AwaitEnd(deadline);
}

}  // namespace twinkle::internal

#include "client/src/worker_output.h"

#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/rpc/channel.h"

namespace twinkle::internal {

std::string OutputText(const v1::Output::Line& line, const std::string& host, bool colour) {
  constexpr std::array<int, 6> kColours = {36, 32, 33, 35, 34, 31};
  const std::string who = absl::StrCat("[", line.group(), ":", line.rank(), " ", line.pid(), " ", host, "]");
  if (!colour) return absl::StrCat(who, " ", line.text(), "\n");
  const int code = kColours[static_cast<size_t>(line.rank()) % kColours.size()];
  return absl::StrCat("\x1b[", code, "m", who, "\x1b[0m ", line.text(), "\n");
}

// One node. Keeps itself until the stream has ended.
class WorkerOutput::Watching final : public grpc::ClientReadReactor<v1::Output> {
 public:
  void Begin(const std::shared_ptr<Watching>& self, uint64_t job, const v1::NodeDescription& node,
             const std::string& target, const std::string& token) {
    self_ = self;
    host_ = node.place().host();
    rpc::KeepCallbacks();
    stub_ = v1::NodeOutput::NewStub(rpc::NewChannel(target));
    request_.set_job(job);
    request_.set_tail(-1);
    request_.set_follow(true);
    request_.set_rank(-1);
    context_.AddMetadata(rpc::kTokenKey, token);
    stub_->async()->Watch(&context_, &request_, this);
    StartRead(&incoming_);
    StartCall();
  }
  void Cancel() { context_.TryCancel(); }
  bool AwaitEnd(base::Instant deadline) const { return ended_.WaitUntil(deadline); }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    for (const v1::Output::Line& line : incoming_.lines()) {
      std::FILE* const file = line.error() ? stderr : stdout;
      const std::string text = OutputText(line, host_, ::isatty(::fileno(file)) == 1);
      std::fwrite(text.data(), 1, text.size(), file);
      std::fflush(file);
    }
    StartRead(&incoming_);
  }
  void OnDone(const grpc::Status&) override {
    const auto self = std::move(self_);
    ended_.Set();
  }

 private:
  std::shared_ptr<Watching> self_;
  std::string host_;
  std::unique_ptr<v1::NodeOutput::Stub> stub_;
  grpc::ClientContext context_;
  v1::WatchJob request_;
  v1::Output incoming_;
  base::Event ended_;
};

WorkerOutput::WorkerOutput(uint64_t job, const std::vector<v1::NodeDescription>& nodes, const std::string& machine,
                           const std::string& token) {
  for (const v1::NodeDescription& node : nodes) {
    const bool here = node.place().machine() == machine;
    const std::string& target = here ? node.endpoint().socket() : node.endpoint().address();
    if (target.empty()) continue;
    nodes_.push_back(std::make_shared<Watching>());
    nodes_.back()->Begin(nodes_.back(), job, node, target, token);
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

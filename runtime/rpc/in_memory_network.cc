#include "runtime/rpc/in_memory_network.h"

#include <absl/strings/str_cat.h>

#include <atomic>
#include <utility>

namespace twinkle::rpc {

class InMemoryNetwork::Port final : public Transport {
 public:
  Port(InMemoryNetwork* network, ProcessId self) : network_(network), self_(self) {}
  ~Port() override { Close(); }

  absl::Status Send(ProcessId to, Stream stream, Frame frame) override {
    if (closed_) return absl::CancelledError("this process has left its job");
    return network_->Send(self_, to, stream, std::move(frame));
  }
  void Close() override {
    if (!closed_.exchange(true)) network_->Leave(self_, absl::UnavailableError("the process has ended"));
  }

 private:
  InMemoryNetwork* const network_;
  const ProcessId self_;
  std::atomic<bool> closed_ = false;
};

std::unique_ptr<Transport> InMemoryNetwork::Join(ProcessId self, Receiver* receiver, base::TaskQueue* queue) {
  base::MutexLock lock(&mutex_);
  members_[self] = {receiver, queue, std::make_shared<std::atomic<bool>>(true)};
  return std::make_unique<Port>(this, self);
}

absl::Status InMemoryNetwork::Send(ProcessId from, ProcessId to, Stream stream, Frame frame) {
  base::MutexLock lock(&mutex_);
  if (members_.find(from) == members_.end()) return absl::CancelledError("this process has been ended");
  if (members_.find(to) == members_.end()) {
    const auto gone = gone_.find(to);
    return absl::UnavailableError(gone == gone_.end() ? absl::StrCat("there is no process ", to)
                                                      : std::string(gone->second.message()));
  }
  const Route route(from, to, stream);
  if (held_.count(route) != 0) {
    waiting_[route].push_back(std::move(frame));
  } else {
    Deliver(route, std::move(frame));
  }
  return absl::OkStatus();
}

// Posting under the lock keeps T1 for senders in several threads.
void InMemoryNetwork::Deliver(const Route& route, Frame frame) {
  const auto& [from, to, stream] = route;
  const auto member = members_.find(to);
  if (member == members_.end()) return;
  member->second.queue->Post(
      [to_member = member->second, from = from, stream = stream, frame = std::move(frame)]() mutable {
        if (*to_member.open) to_member.receiver->OnFrame(from, stream, std::move(frame));
      });
}

void InMemoryNetwork::Kill(ProcessId process, const absl::Status& why) { Leave(process, why); }

void InMemoryNetwork::Leave(ProcessId process, const absl::Status& why) {
  base::MutexLock lock(&mutex_);
  const auto leaving = members_.find(process);
  if (leaving == members_.end()) return;
  *leaving->second.open = false;
  members_.erase(leaving);
  gone_[process] = why;
  for (auto route = waiting_.begin(); route != waiting_.end();) {
    const bool concerned = std::get<0>(route->first) == process || std::get<1>(route->first) == process;
    route = concerned ? waiting_.erase(route) : std::next(route);
  }
  for (const auto& [id, member] : members_) {
    member.queue->Post([member = member, process, why] {
      if (*member.open) member.receiver->OnLost(process, why);
    });
  }
}

void InMemoryNetwork::Hold(ProcessId from, ProcessId to, Stream stream) {
  base::MutexLock lock(&mutex_);
  held_.insert({from, to, stream});
}

void InMemoryNetwork::Release(ProcessId from, ProcessId to, Stream stream) {
  base::MutexLock lock(&mutex_);
  const Route route(from, to, stream);
  held_.erase(route);
  for (Frame& frame : waiting_[route]) Deliver(route, std::move(frame));
  waiting_.erase(route);
}

}  // namespace twinkle::rpc

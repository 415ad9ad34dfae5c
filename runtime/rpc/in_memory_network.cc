#include "runtime/rpc/in_memory_network.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <atomic>
#include <utility>

namespace twinkle::rpc {
namespace {

std::pair<ProcessId, ProcessId> PairOf(ProcessId a, ProcessId b) { return {std::min(a, b), std::max(a, b)}; }

}  // namespace

class InMemoryNetwork::Port final : public Transport {
 public:
  Port(InMemoryNetwork* network, ProcessId self) : network_(network), self_(self) {}
  ~Port() override { Close(); }

  void Start(Receiver* receiver, base::TaskQueue* queue) override { network_->Start(self_, receiver, queue); }
  absl::Status Send(ProcessId to, Stream stream, Frame frame) override {
    if (closed_) return absl::CancelledError("this process has left its job");
    return network_->Send(self_, to, stream, std::move(frame));
  }
  void Lose(ProcessId peer, const absl::Status& why) override {
    if (!closed_) network_->Part(self_, peer, why);
  }
  void Close() override {
    if (!closed_.exchange(true)) network_->Leave(self_, absl::UnavailableError("the process has ended"));
  }

 private:
  InMemoryNetwork* const network_;
  const ProcessId self_;
  std::atomic<bool> closed_ = false;
};

std::unique_ptr<Transport> InMemoryNetwork::Join(ProcessId self) {
  base::MutexLock lock(&mutex_);
  members_[self] = std::make_shared<Member>();
  return std::make_unique<Port>(this, self);
}

void InMemoryNetwork::Start(ProcessId self, Receiver* receiver, base::TaskQueue* queue) {
  base::MutexLock lock(&mutex_);
  const auto found = members_.find(self);
  if (found == members_.end()) return;  // the process was killed
  Member& member = *found->second;
  member.receiver = receiver;
  member.queue = queue;
  for (base::Task& task : member.early) queue->Post(std::move(task));
  member.early.clear();
}

void InMemoryNetwork::Post(Member& member, base::Task task) {
  if (member.queue == nullptr) {
    member.early.push_back(std::move(task));
  } else {
    member.queue->Post(std::move(task));
  }
}

absl::Status InMemoryNetwork::Send(ProcessId from, ProcessId to, Stream stream, Frame frame) {
  base::MutexLock lock(&mutex_);
  if (members_.find(from) == members_.end()) return absl::CancelledError("this process has been ended");
  if (members_.find(to) == members_.end()) {
    const auto gone = gone_.find(to);
    return absl::UnavailableError(gone == gone_.end() ? absl::StrCat("there is no process ", to)
                                                      : std::string(gone->second.message()));
  }
  if (AreParted(from, to)) return absl::UnavailableError("the connection to it was given up");
  const Route route(from, to, stream);
  if (held_.count(route) != 0) {
    waiting_[route].push_back(std::move(frame));
  } else {
    Deliver(route, std::move(frame));
  }
  return absl::OkStatus();
}

// Posts a frame to its receiver's queue. The lock must be held, so that frames from several threads keep their order
// (TR1).
void InMemoryNetwork::Deliver(const Route& route, Frame frame) {
  const auto& [from, to, stream] = route;
  const auto member = members_.find(to);
  if (member == members_.end()) return;
  Post(*member->second, [to_member = member->second, from = from, stream = stream, frame = std::move(frame)]() mutable {
    if (to_member->open) to_member->receiver->OnFrame(from, stream, std::move(frame));
  });
}

void InMemoryNetwork::End() {
  base::MutexLock lock(&mutex_);
  ending_ = true;
}

void InMemoryNetwork::Kill(ProcessId process, const absl::Status& why) { Leave(process, why); }

void InMemoryNetwork::Leave(ProcessId process, const absl::Status& why) {
  // Tasks hold the member; destroyed without the lock, since a frame may be the last owner of a value.
  std::vector<base::Task> early;
  base::MutexLock lock(&mutex_);
  const auto leaving = members_.find(process);
  if (leaving == members_.end()) return;
  leaving->second->open = false;
  early.swap(leaving->second->early);
  members_.erase(leaving);
  gone_[process] = why;
  if (ending_) return;
  DropWaiting([&](ProcessId from, ProcessId to) { return from == process || to == process; });
  for (const auto& [id, member] : members_) {
    if (!AreParted(id, process)) TellLoss(member, process, why);
  }
  std::erase_if(parted_, [&](const auto& pair) { return pair.first == process || pair.second == process; });
}

void InMemoryNetwork::Part(ProcessId self, ProcessId peer, const absl::Status& why) {
  base::MutexLock lock(&mutex_);
  const auto mine = members_.find(self);
  const auto other = members_.find(peer);
  if (mine == members_.end() || other == members_.end() || !parted_.insert(PairOf(self, peer)).second) return;
  DropWaiting([&](ProcessId from, ProcessId to) { return PairOf(from, to) == PairOf(self, peer); });
  TellLoss(mine->second, peer, why);
  TellLoss(other->second, self, absl::UnavailableError(absl::StrCat("it has given up this process: ", why.message())));
}

bool InMemoryNetwork::AreParted(ProcessId a, ProcessId b) const { return parted_.count(PairOf(a, b)) != 0; }

void InMemoryNetwork::TellLoss(const std::shared_ptr<Member>& member, ProcessId peer, const absl::Status& why) {
  Post(*member, [member, peer, why] {
    if (member->open) member->receiver->OnLost(peer, why);
  });
}

void InMemoryNetwork::DropWaiting(const std::function<bool(ProcessId from, ProcessId to)>& concerned) {
  std::erase_if(waiting_,
                [&](const auto& entry) { return concerned(std::get<0>(entry.first), std::get<1>(entry.first)); });
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

#include "runtime/rpc/near/releases.h"

#include <unistd.h>

#include <utility>

namespace twinkle::rpc {

Releases::Releases(base::Executor* executor, std::string name)
    : executor_(*executor), name_(std::move(name)), process_(::getpid()) {}

void Releases::Begin(Tell tell) {
  base::MutexLock lock(&mutex_);
  tell_ = std::make_shared<const Tell>(std::move(tell));
}

bool Releases::Ready() {
  base::MutexLock lock(&mutex_);
  return HasThread();
}

void Releases::Add(ProcessId owner, uint64_t lease) {
  if (::getpid() != process_) return;
  base::MutexLock lock(&mutex_);
  if (tell_ == nullptr) return;
  pending_[owner].released.push_back(lease);
  FlushLater();
}

void Releases::AddUnmapped(const UnmappedChunk& gone) {
  base::MutexLock lock(&mutex_);
  if (tell_ == nullptr || readers_.empty()) return;
  for (const ProcessId peer : readers_) pending_[peer].unmapped.push_back(gone);
  FlushLater();
}

void Releases::AddReader(ProcessId peer) {
  base::MutexLock lock(&mutex_);
  readers_.insert(peer);
}

void Releases::RemoveReader(ProcessId peer) {
  base::MutexLock lock(&mutex_);
  readers_.erase(peer);
  pending_.erase(peer);
}

void Releases::Close() {
  std::unique_ptr<base::TaskQueue> queue;
  Flush();
  {
    base::MutexLock lock(&mutex_);
    tell_ = nullptr;
    queue = std::move(queue_);
  }
  if (queue != nullptr) queue->Close();
}

bool Releases::HasThread() {
  if (queue_ == nullptr && tell_ != nullptr) queue_ = executor_.NewQueue(name_);
  return queue_ != nullptr;
}

void Releases::FlushLater() {
  if (flushing_ || !HasThread()) return;  // without a thread, words wait for the next try
  flushing_ = true;
  queue_->Post([self = shared_from_this()] { self->Flush(); });
}

void Releases::Flush() {
  absl::flat_hash_map<ProcessId, NearWord> pending;
  std::shared_ptr<const Tell> tell;
  {
    base::MutexLock lock(&mutex_);
    flushing_ = false;
    pending.swap(pending_);
    tell = tell_;
  }
  if (tell == nullptr) return;
  for (auto& [peer, word] : pending) (*tell)(peer, std::move(word));
}

}  // namespace twinkle::rpc

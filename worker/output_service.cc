#include "worker/output_service.h"

#include <absl/strings/str_cat.h>

#include <memory>
#include <utility>

#include "runtime/base/mutex.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/streams.h"
#include "worker/output_backlog.h"

namespace twinkle::worker {
namespace {

// Bytes that wait for a watcher who does not read; beyond that the oldest lines are lost.
constexpr size_t kMostWaiting = 64 << 20;

// One call of Watch: passes the store's messages on to one watcher. Thread-safe. Owned by itself until OnDone, and by
// the store while it calls.
class WatchCall final : public grpc::ServerWriteReactor<v1::Output> {
 public:
  explicit WatchCall(OutputStore* store) : store_(*store) {}

  // Watches as `request` says. `self` is this object, which it keeps until gRPC is done with it.
  void Begin(const std::shared_ptr<WatchCall>& self, const v1::WatchJob& request) {
    self_ = self;
    const uint64_t id = store_.Watch(request, [weak = std::weak_ptr(self)](const OutputStore::Message& message) {
      const auto call = weak.lock();
      if (call == nullptr) return;
      if (message == nullptr) return call->End(absl::OkStatus());
      call->Add(message);
    });
    if (id == 0) return End(absl::NotFoundError(absl::StrCat("job ", request.job(), " has no processes on this node")));
    base::MutexLock lock(&mutex_);
    id_ = id;
    if (!request.follow()) EndLocked(absl::OkStatus());
  }
  // Ends the call with `why`.
  void Refuse(const std::shared_ptr<WatchCall>& self, const absl::Status& why) {
    self_ = self;
    End(why);
  }

  void OnWriteDone(bool ok) override {
    base::MutexLock lock(&mutex_);
    writing_ = nullptr;
    if (!ok) waiting_ = OutputBacklog(kMostWaiting);
    WriteNext();
  }
  void OnCancel() override { End(absl::CancelledError("the watcher has left")); }
  void OnDone() override {
    const auto self = std::move(self_);
    uint64_t id = 0;
    {
      base::MutexLock lock(&mutex_);
      id = id_;
    }
    store_.Unwatch(id);
  }

 private:
  void Add(const OutputStore::Message& message) {
    base::MutexLock lock(&mutex_);
    if (ended_) return;
    waiting_.Add(message);
    if (writing_ == nullptr) WriteNext();
  }
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    writing_ = waiting_.Next();
    if (writing_ != nullptr) {
      StartWrite(writing_.get());
    } else if (ended_) {
      Finish(rpc::ToGrpc(status_));
    }
  }
  void End(const absl::Status& status) {
    base::MutexLock lock(&mutex_);
    EndLocked(status);
  }
  void EndLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (std::exchange(ended_, true)) return;
    status_ = status;
    if (writing_ == nullptr) Finish(rpc::ToGrpc(status_));
  }

  OutputStore& store_;
  std::shared_ptr<WatchCall> self_;
  base::Mutex mutex_;
  uint64_t id_ ABSL_GUARDED_BY(mutex_) = 0;
  OutputBacklog waiting_ ABSL_GUARDED_BY(mutex_) = OutputBacklog(kMostWaiting);
  OutputStore::Message writing_ ABSL_GUARDED_BY(mutex_);  // read by gRPC until OnWriteDone
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

grpc::ServerWriteReactor<v1::Output>* OutputService::Watch(grpc::CallbackServerContext* context,
                                                           const v1::WatchJob* request) {
  const absl::Status refused = token_.Check(*context);
  if (refused.ok()) return Serve(*request);
  const auto call = std::make_shared<WatchCall>(&store_);
  call->Refuse(call, refused);
  return call.get();
}

grpc::ServerWriteReactor<v1::Output>* OutputService::Serve(const v1::WatchJob& request) {
  const auto call = std::make_shared<WatchCall>(&store_);
  call->Begin(call, request);
  return call.get();
}

}  // namespace twinkle::worker

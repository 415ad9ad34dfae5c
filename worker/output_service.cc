#include "worker/output_service.h"

#include <absl/strings/str_cat.h>

#include <deque>
#include <memory>
#include <utility>

#include "runtime/base/mutex.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/secret.h"
#include "runtime/rpc/streams.h"

namespace twinkle::worker {
namespace {

// Who does not read has this many messages waiting, then loses the oldest.
constexpr size_t kMostWaiting = 100'000;

class Watching final : public grpc::ServerWriteReactor<v1::Output> {
 public:
  explicit Watching(OutputStore* store) : store_(*store) {}

  void Begin(const std::shared_ptr<Watching>& self, const v1::WatchJob& request) {
    self_ = self;
    const uint64_t id = store_.Watch(request, [weak = std::weak_ptr(self)](const v1::Output* output) {
      if (const auto watching = weak.lock())
        output == nullptr ? watching->End(absl::OkStatus()) : watching->Add(*output);
    });
    if (id == 0) return End(absl::NotFoundError(absl::StrCat("job ", request.job(), " has no processes on this node")));
    base::MutexLock lock(&mutex_);
    id_ = id;
    if (request.follow()) return;
    EndLocked(absl::OkStatus());
  }
  void Refuse(const std::shared_ptr<Watching>& self, const absl::Status& why) {
    self_ = self;
    End(why);
  }

  void OnWriteDone(bool ok) override {
    base::MutexLock lock(&mutex_);
    waiting_.pop_front();
    if (!ok) waiting_.clear();
    if (!waiting_.empty()) {
      StartWrite(&waiting_.front());
    } else if (ended_) {
      Finish(rpc::ToGrpc(status_));
    }
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
  void Add(const v1::Output& output) {
    base::MutexLock lock(&mutex_);
    if (ended_) return;
    if (waiting_.size() >= kMostWaiting) waiting_.erase(waiting_.begin() + 1);
    waiting_.push_back(output);
    if (waiting_.size() == 1) StartWrite(&waiting_.front());
  }
  void End(const absl::Status& status) {
    base::MutexLock lock(&mutex_);
    EndLocked(status);
  }
  void EndLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (std::exchange(ended_, true)) return;
    status_ = status;
    if (waiting_.empty()) Finish(rpc::ToGrpc(status_));
  }

  OutputStore& store_;
  std::shared_ptr<Watching> self_;
  base::Mutex mutex_;
  uint64_t id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<v1::Output> waiting_ ABSL_GUARDED_BY(mutex_);  // the first is being written
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

grpc::ServerWriteReactor<v1::Output>* OutputService::Watch(grpc::CallbackServerContext* context,
                                                           const v1::WatchJob* request) {
  const auto watching = std::make_shared<Watching>(&store_);
  if (!rpc::SecretsEqual(rpc::MetadataOf(*context, rpc::kTokenKey), token_)) {
    watching->Refuse(watching, absl::UnauthenticatedError("wrong or missing token"));
  } else {
    watching->Begin(watching, *request);
  }
  return watching.get();
}

}  // namespace twinkle::worker

#include "worker/program_service.h"

#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "runtime/base/mutex.h"
#include "runtime/base/status.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/streams.h"
#include "worker/same_file.h"

namespace twinkle::worker {
namespace {

constexpr size_t kChunkBytes = 1 << 20;
constexpr size_t kMostAtOnce = 64;

// One call of Fetch: sends one file to one caller. Owned by gRPC until the call is done, and by the thread that reads.
// Read is for that thread; the other functions are thread-safe.
class FetchCall final : public grpc::ServerWriteReactor<v1::FileChunk> {
 public:
  static std::shared_ptr<FetchCall> Make() {
    auto call = std::make_shared<FetchCall>();
    call->self_ = call;
    return call;
  }

  // Opens the file and sends all of it.
  void Read(const std::string& path) { End(SendAll(path)); }
  void End(const absl::Status& status) {
    base::MutexLock lock(&mutex_);
    if (std::exchange(ended_, true)) return;
    status_ = rpc::ToGrpc(status);
    changed_.SignalAll();
    if (!writing_) Finish(status_);
  }

  void OnWriteDone(bool ok) override {
    base::MutexLock lock(&mutex_);
    writing_ = false;
    changed_.SignalAll();
    if (ended_) {
      Finish(status_);
    } else if (!ok) {
      ended_ = true;
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnCancel() override { End(absl::CancelledError("the caller has left")); }
  void OnDone() override { const auto self = std::move(self_); }

 private:
  absl::Status SendAll(const std::string& path) {
    TWINKLE_ASSIGN_OR_RETURN(const base::Fd file, OpenForReading(path));
    for (off_t offset = 0;;) {
      std::string bytes(kChunkBytes, '\0');
      const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), offset);
      if (got < 0) return absl::ErrnoToStatus(errno, path);
      if (got == 0) return absl::OkStatus();
      bytes.resize(static_cast<size_t>(got));
      offset += got;
      if (!Write(std::move(bytes))) return absl::OkStatus();  // the call has ended
    }
  }
  // Sends a chunk; blocks until the chunk before is sent. False: the call has ended.
  bool Write(std::string bytes) {
    base::MutexLock lock(&mutex_);
    while (writing_ && !ended_) changed_.Wait(&mutex_);
    if (ended_) return false;
    chunk_.set_bytes(std::move(bytes));
    writing_ = true;
    StartWrite(&chunk_);
    return true;
  }

  std::shared_ptr<FetchCall> self_;
  base::Mutex mutex_;
  base::CondVar changed_;
  v1::FileChunk chunk_;  // read by gRPC while `writing_`
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::string ProgramService::PathOf(const v1::FetchProgram& wanted) const {
  if (!wanted.path().empty()) return wanted.path();
  const bool knows_pid = !pids_.empty() && wanted.pids() == pids_;
  return knows_pid ? absl::StrCat("/proc/", wanted.pid(), "/exe") : wanted.executable();
}

grpc::ServerWriteReactor<v1::FileChunk>* ProgramService::Fetch(grpc::CallbackServerContext* context,
                                                               const v1::FetchProgram* request) {
  const absl::Status refused = token_.Check(*context);
  if (refused.ok()) return Serve(*request);
  const std::shared_ptr<FetchCall> call = FetchCall::Make();
  call->End(refused);
  return call.get();
}

grpc::ServerWriteReactor<v1::FileChunk>* ProgramService::Serve(const v1::FetchProgram& request) {
  const std::shared_ptr<FetchCall> call = FetchCall::Make();
  if (threads_.running() >= kMostAtOnce) {
    call->End(absl::ResourceExhaustedError("the node daemon of the program's machine is sending too many files"));
  } else {
    const absl::Status begun = threads_.Run("send-file", [call, path = PathOf(request)] { call->Read(path); });
    if (!begun.ok()) call->End(begun);
  }
  return call.get();
}

}  // namespace twinkle::worker

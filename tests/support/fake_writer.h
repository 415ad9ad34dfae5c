// The wire of a stream that a service writes: the test ends each write, and the stream, when it likes. No server, no
// channel and no thread of gRPC's is there.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <optional>
#include <utility>

#include "runtime/base/mutex.h"
#include "tests/support/catch.h"

namespace twinkle::tests {

// The reactor is what the service has made. Write and Finish may come from any thread; the rest is the test's.
template <class Message>
class FakeWriter final : public grpc::ServerCallbackWriter<Message> {
 public:
  explicit FakeWriter(grpc::ServerWriteReactor<Message>* reactor) : reactor_(reactor) { this->BindReactor(reactor); }

  bool writing() const {
    base::MutexLock lock(&mutex_);
    return message_ != nullptr;
  }
  bool finished() const {
    base::MutexLock lock(&mutex_);
    return status_.has_value();
  }
  // Blocks until something is being written, or the stream has been finished: then it is false.
  bool AwaitWrite() const {
    base::MutexLock lock(&mutex_);
    while (message_ == nullptr && !status_) changed_.Wait(&mutex_);
    return message_ != nullptr;
  }
  // What was written; the next may begin before this returns. Not ok: the other end is gone.
  Message EndWrite(bool ok = true) {
    Message written;
    {
      base::MutexLock lock(&mutex_);
      REQUIRE(message_ != nullptr);
      written = *std::exchange(message_, nullptr);
    }
    reactor_->OnWriteDone(ok);
    return written;
  }
  void Cancel() { reactor_->OnCancel(); }
  // With what it was finished. The reactor is gone then.
  grpc::Status Done() {
    grpc::Status status;
    {
      base::MutexLock lock(&mutex_);
      while (!status_) changed_.Wait(&mutex_);
      REQUIRE(message_ == nullptr);  // gRPC still has it
      status = *status_;
    }
    reactor_->OnDone();
    return status;
  }

 private:
  void Finish(grpc::Status status) override {
    base::MutexLock lock(&mutex_);
    REQUIRE_FALSE(status_.has_value());
    status_ = std::move(status);
    changed_.SignalAll();
  }
  void SendInitialMetadata() override {}
  void Write(const Message* message, grpc::WriteOptions) override {
    base::MutexLock lock(&mutex_);
    REQUIRE(message_ == nullptr);  // one at a time
    REQUIRE_FALSE(status_.has_value());
    message_ = message;
    changed_.SignalAll();
  }
  void WriteAndFinish(const Message*, grpc::WriteOptions, grpc::Status) override { FAIL("nobody does"); }
  grpc::internal::ServerReactor* reactor() override { return reactor_; }
  void CallOnDone() override {}

  grpc::ServerWriteReactor<Message>* const reactor_;
  mutable base::Mutex mutex_;
  mutable base::CondVar changed_;
  const Message* message_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::optional<grpc::Status> status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::tests

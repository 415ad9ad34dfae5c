// Bidirectional gRPC streams of protobuf messages, for control between driver, nodes and programs, where messages are
// few. Both ends queue what is written, without a limit.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "runtime/base/mutex.h"
#include "runtime/rpc/wire_words.h"

namespace twinkle::rpc {

// The status of gRPC with the same code and message; see FromGrpc in wire_words.h.
inline grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

// The server's end of a stream. Thread-safe. Keeps itself until the stream has ended.
template <class In, class Out>
class ServerStream final : public grpc::ServerBidiReactor<In, Out> {
 public:
  struct Events {  // called on threads of gRPC, one at a time; must not block
    std::function<void(In)> on_message;
    std::function<void()> on_end;  // called once, last
  };
  static std::shared_ptr<ServerStream> Make() {
    std::shared_ptr<ServerStream> stream(new ServerStream);
    stream->self_ = stream;
    return stream;
  }
  // A stream that only ends, with a status that says why.
  static grpc::ServerBidiReactor<In, Out>* Refuse(const absl::Status& why) {
    const auto stream = Make();
    stream->Finish(why);
    return stream.get();
  }

  // Begins to read. Must be called once.
  void Begin(Events events) {
    events_ = std::move(events);
    this->StartRead(&incoming_);
  }
  // Writes a message. Never blocks. The message is dropped if the stream ends.
  void Write(Out message) {
    base::MutexLock lock(&mutex_);
    if (ending_) return;
    outgoing_.push_back(std::move(message));
    if (outgoing_.size() == 1) this->StartWrite(&outgoing_.front());
  }
  // Ends the stream after what was written before. Further calls do nothing.
  void Finish(const absl::Status& status) {
    base::MutexLock lock(&mutex_);
    if (std::exchange(ending_, true)) return;
    status_ = ToGrpc(status);
    if (outgoing_.empty()) grpc::ServerBidiReactor<In, Out>::Finish(status_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(absl::OkStatus());
    events_.on_message(std::exchange(incoming_, In()));
    this->StartRead(&incoming_);
  }
  void OnWriteDone(bool) override {
    base::MutexLock lock(&mutex_);
    outgoing_.pop_front();
    if (!outgoing_.empty()) {
      this->StartWrite(&outgoing_.front());
    } else if (ending_) {
      grpc::ServerBidiReactor<In, Out>::Finish(status_);
    }
  }
  void OnDone() override {
    const auto self = std::move(self_);
    if (events_.on_end) events_.on_end();
    events_ = {};
  }

 private:
  ServerStream() = default;
  std::shared_ptr<ServerStream> self_;
  Events events_;
  In incoming_;
  base::Mutex mutex_;
  std::deque<Out> outgoing_ ABSL_GUARDED_BY(mutex_);  // the first is being written
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
};

// The client's end of a stream. Thread-safe. Keeps itself until the stream has ended.
template <class Out, class In>
class ClientStream final : public grpc::ClientBidiReactor<Out, In> {
 public:
  struct Events {  // called on threads of gRPC, one at a time; must not block
    std::function<void(In)> on_message;
    std::function<void(const absl::Status&)> on_end;  // called once, last
  };
  static std::shared_ptr<ClientStream> Make(Events events) {
    std::shared_ptr<ClientStream> stream(new ClientStream);
    stream->events_ = std::move(events);
    stream->self_ = stream;
    return stream;
  }
  // The context of the call, to be set up before Begin.
  grpc::ClientContext& context() { return context_; }
  // Begins the call. Must be called once, after the stub was given this reactor.
  void Begin() {
    this->AddHold();
    this->StartRead(&incoming_);
    this->StartCall();
  }
  void Write(Out message) {
    base::MutexLock lock(&mutex_);
    if (ended_) return;
    outgoing_.push_back(std::move(message));
    if (outgoing_.size() == 1) this->StartWrite(&outgoing_.front());
  }
  // Ends the stream from this side; on_end follows.
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (ok) {
      events_.on_message(std::exchange(incoming_, In()));
      this->StartRead(&incoming_);
      return;
    }
    base::MutexLock lock(&mutex_);
    ended_ = true;
    this->RemoveHold();
  }
  void OnWriteDone(bool ok) override {
    base::MutexLock lock(&mutex_);
    if (!ok) return;  // reading ends too
    outgoing_.pop_front();
    if (!outgoing_.empty() && !ended_) this->StartWrite(&outgoing_.front());
  }
  void OnDone(const grpc::Status& status) override {
    const auto self = std::move(self_);
    if (events_.on_end) events_.on_end(FromGrpc(status));
    events_ = {};
  }

 private:
  ClientStream() = default;
  std::shared_ptr<ClientStream> self_;
  Events events_;
  grpc::ClientContext context_;
  In incoming_;
  base::Mutex mutex_;
  std::deque<Out> outgoing_ ABSL_GUARDED_BY(mutex_);  // the first is being written
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace twinkle::rpc

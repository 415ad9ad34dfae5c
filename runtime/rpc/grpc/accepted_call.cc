#include "runtime/rpc/grpc/accepted_call.h"

#include <absl/strings/match.h>

#include <utility>

#include "runtime/rpc/channel.h"
#include "runtime/rpc/streams.h"
#include "runtime/rpc/wire_words.h"

namespace twinkle::rpc {

// A link that the peer has opened.
class AcceptedLink final : public GrpcLink {
 public:
  AcceptedLink(std::unique_ptr<AcceptedCall> call, GrpcLink::Wire wire, GrpcLink::Events events)
      : GrpcLink(std::move(wire), std::move(events)), call_(std::move(call)) {}

  void Start() { Open(/*greet=*/true); }
  void Cancel() override { call_->context_.TryCancel(); }
  std::string Address() const override { return call_->context_.peer(); }

 protected:
  void StartRead(grpc::ByteBuffer* buffer, CompletionTag* tag) override { call_->stream_.Read(buffer, tag); }
  void StartWrite(const grpc::ByteBuffer& buffer, CompletionTag* tag) override { call_->stream_.Write(buffer, tag); }
  void StartFinish(CompletionTag* tag) override { call_->stream_.Finish(grpc::Status::OK, tag); }
  absl::Status FinalStatus() const override { return absl::UnavailableError("the peer has closed the connection"); }

 private:
  const std::unique_ptr<AcceptedCall> call_;
};

void AcceptedCall::Wait(grpc::AsyncGenericService* service, grpc::ServerCompletionQueue* queue, OnCall on_call) {
  auto* call = new AcceptedCall;  // the call owns itself until it runs
  call->on_call_ = std::move(on_call);
  service->RequestCall(&call->context_, &call->stream_, queue, queue, call);
}

void AcceptedCall::Run(bool ok) {
  std::unique_ptr<AcceptedCall> self(this);
  const OnCall on_call = std::move(on_call_);
  on_call(ok ? std::move(self) : nullptr);
}

std::string AcceptedCall::Metadata(const char* key) const { return MetadataOf(context_, key); }

std::string AcceptedCall::peer() const { return context_.peer(); }

bool AcceptedCall::remote() const { return !absl::StartsWith(peer(), "unix"); }

std::shared_ptr<GrpcLink> AcceptedCall::Begin(std::unique_ptr<AcceptedCall> call, GrpcLink::Wire wire,
                                              GrpcLink::Events events) {
  auto link = std::make_shared<AcceptedLink>(std::move(call), std::move(wire), std::move(events));
  link->Start();
  return link;
}

// Keeps a call until the peer has been told of its end.
struct AcceptedCall::Ending final : CompletionTag {
  Ending(std::unique_ptr<AcceptedCall> ended, std::function<void()> gone)
      : call(std::move(ended)), on_gone(std::move(gone)) {}
  void Run(bool) override {
    const std::unique_ptr<Ending> self(this);
    call.reset();
    on_gone();
  }
  std::unique_ptr<AcceptedCall> call;
  const std::function<void()> on_gone;
};

void AcceptedCall::Refuse(std::unique_ptr<AcceptedCall> call, const absl::Status& why, std::function<void()> on_gone) {
  auto& stream = call->stream_;
  stream.Finish(ToGrpc(why), new Ending(std::move(call), std::move(on_gone)));
}

void AcceptedCall::Reply(std::unique_ptr<AcceptedCall> call, const std::string& message,
                         std::function<void()> on_gone) {
  const grpc::Slice slice(message);
  auto& stream = call->stream_;
  stream.WriteAndFinish(grpc::ByteBuffer(&slice, 1), {}, grpc::Status::OK,
                        new Ending(std::move(call), std::move(on_gone)));
}

}  // namespace twinkle::rpc

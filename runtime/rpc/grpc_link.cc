#include "runtime/rpc/grpc_link.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "runtime/rpc/channel.h"
#include "runtime/rpc/streams.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kMessageBytes = 1 << 20;  // of one gRPC message, at most
constexpr size_t kCopiedBytes = 16 << 10;  // buffers up to this size travel in one slice with what precedes them
constexpr size_t kSlicesOfMessage = 64;    // at most

grpc::Slice SliceOf(const codec::Buffer& buffer) {
  auto* owner = new std::shared_ptr<const void>(buffer.owner);
  return {const_cast<std::byte*>(buffer.data), buffer.size,
          [](void* kept) { delete static_cast<std::shared_ptr<const void>*>(kept); }, owner};
}

// The frame's bytes, large buffers by reference.
void AppendSlices(const Frame& frame, std::deque<grpc::Slice>* slices) {
  std::string text = FramePrefix(frame);
  text += frame.head;
  for (const codec::Buffer& buffer : frame.buffers) {
    if (buffer.size <= kCopiedBytes) {
      text.append(reinterpret_cast<const char*>(buffer.data), buffer.size);
      continue;
    }
    if (!text.empty()) slices->emplace_back(text);
    text.clear();
    slices->push_back(SliceOf(buffer));
  }
  if (!text.empty()) slices->emplace_back(text);
}

// Takes one message's worth from the front.
grpc::ByteBuffer TakeMessage(std::deque<grpc::Slice>* slices) {
  std::vector<grpc::Slice> taken;
  size_t bytes = 0;
  while (!slices->empty() && taken.size() < kSlicesOfMessage && bytes < kMessageBytes) {
    grpc::Slice& front = slices->front();
    const size_t room = kMessageBytes - bytes;
    if (front.size() > room) {
      taken.push_back(front.sub(0, room));
      front = front.sub(room, front.size());
      break;
    }
    bytes += front.size();
    taken.push_back(std::move(front));
    slices->pop_front();
  }
  return {taken.data(), taken.size()};
}

// Opened by this side.
class DialledLink final : public GrpcLink {
 public:
  DialledLink(const std::shared_ptr<grpc::Channel>& channel, Events events)
      : GrpcLink(std::move(events)), stub_(channel), started_(this) {}

  void Start(const std::string& method, const std::vector<std::pair<std::string, std::string>>& metadata,
             grpc::CompletionQueue* queue) {
    for (const auto& [key, value] : metadata) context_.AddMetadata(key, value);
    call_ = stub_.PrepareCall(&context_, method, queue);
    started_.keep = shared_from_this();
    call_->StartCall(&started_);
  }
  void Cancel() override { context_.TryCancel(); }

 protected:
  void StartRead(grpc::ByteBuffer* buffer, CompletionTag* tag) override { call_->Read(buffer, tag); }
  void StartWrite(const grpc::ByteBuffer& buffer, CompletionTag* tag) override { call_->Write(buffer, tag); }
  void StartFinish(CompletionTag* tag) override { call_->Finish(&status_, tag); }
  absl::Status FinalStatus() const override { return FromGrpc(status_); }

 private:
  struct Started final : CompletionTag {
    explicit Started(DialledLink* owner) : link(owner) {}
    void Run(bool ok) override {
      const auto kept = std::move(keep);
      ok ? link->Open() : link->End();
    }
    DialledLink* const link;
    std::shared_ptr<GrpcLink> keep;
  };

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  Started started_;
  grpc::Status status_;
};

}  // namespace

// ---- both sides
void GrpcLink::Write(const Frame& frame) {
  base::MutexLock lock(&mutex_);
  if (ended_) return;
  AppendSlices(frame, &outgoing_);
  Pump();
}

void GrpcLink::Pump() {
  if (!open_ || ended_ || writing_ || outgoing_.empty()) return;
  writing_ = true;
  StartWrite(TakeMessage(&outgoing_), write_.Arm());
}

void GrpcLink::Open() {
  base::MutexLock lock(&mutex_);
  open_ = true;
  StartRead(&incoming_, read_.Arm());
  Pump();
}

void GrpcLink::End() {
  base::MutexLock lock(&mutex_);
  ended_ = true;
  FinishIfIdle();
}

void GrpcLink::FinishIfIdle() {
  if (ended_ && !writing_) StartFinish(finish_.Arm());
}

void GrpcLink::OnRead(bool ok) {
  std::vector<Frame> frames;
  if (ok) {
    std::vector<grpc::Slice> slices;
    if (!incoming_.Dump(&slices).ok()) broken_ = absl::InternalError("a message could not be read");
    for (const grpc::Slice& slice : slices) {
      if (!broken_.ok()) break;
      broken_ = reader_.Read({reinterpret_cast<const char*>(slice.begin()), slice.size()}, &frames);
    }
  }
  if (!frames.empty()) events_.on_frames(std::move(frames));
  if (ok && !broken_.ok()) Cancel();  // the next read ends
  if (!ok) return End();
  base::MutexLock lock(&mutex_);
  incoming_.Clear();
  StartRead(&incoming_, read_.Arm());
}

void GrpcLink::OnWritten(bool ok) {
  base::MutexLock lock(&mutex_);
  writing_ = false;
  if (!ok) outgoing_.clear();  // reading ends too
  Pump();
  FinishIfIdle();
}

void GrpcLink::OnFinished(bool) { events_.on_gone(broken_.ok() ? FinalStatus() : broken_); }

std::shared_ptr<GrpcLink> GrpcLink::Dial(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                                         const std::vector<std::pair<std::string, std::string>>& metadata,
                                         grpc::CompletionQueue* queue, Events events) {
  auto link = std::make_shared<DialledLink>(channel, std::move(events));
  link->Start(method, metadata, queue);
  return link;
}

// ---- opened by the peer
class AcceptedLink final : public GrpcLink {
 public:
  AcceptedLink(std::unique_ptr<GrpcLink::Accepting> call, Events events)
      : GrpcLink(std::move(events)), call_(std::move(call)) {}

  void Start() { Open(); }
  void Cancel() override { call_->context_.TryCancel(); }

 protected:
  void StartRead(grpc::ByteBuffer* buffer, CompletionTag* tag) override { call_->stream_.Read(buffer, tag); }
  void StartWrite(const grpc::ByteBuffer& buffer, CompletionTag* tag) override { call_->stream_.Write(buffer, tag); }
  void StartFinish(CompletionTag* tag) override { call_->stream_.Finish(grpc::Status::OK, tag); }
  absl::Status FinalStatus() const override { return absl::UnavailableError("the peer has closed the connection"); }

 private:
  const std::unique_ptr<GrpcLink::Accepting> call_;
};

void GrpcLink::Accepting::Wait(grpc::AsyncGenericService* service, grpc::ServerCompletionQueue* queue, OnCall on_call) {
  auto* call = new Accepting;  // its own until it runs
  call->on_call_ = std::move(on_call);
  service->RequestCall(&call->context_, &call->stream_, queue, queue, call);
}

void GrpcLink::Accepting::Run(bool ok) {
  std::unique_ptr<Accepting> self(this);
  const OnCall on_call = std::move(on_call_);
  on_call(ok ? std::move(self) : nullptr);
}

std::string GrpcLink::Accepting::Metadata(const char* key) const { return MetadataOf(context_, key); }

std::shared_ptr<GrpcLink> GrpcLink::Accepting::Begin(std::unique_ptr<Accepting> call, Events events) {
  auto link = std::make_shared<AcceptedLink>(std::move(call), std::move(events));
  link->Start();
  return link;
}

void GrpcLink::Accepting::Refuse(std::unique_ptr<Accepting> call, const absl::Status& why,
                                 std::function<void()> on_gone) {
  struct Refused final : CompletionTag {
    std::unique_ptr<Accepting> call;
    std::function<void()> on_gone;
    void Run(bool) override {
      const std::unique_ptr<Refused> self(this);
      self->call.reset();
      self->on_gone();
    }
  };
  auto* refused = new Refused;
  refused->call = std::move(call);
  refused->on_gone = std::move(on_gone);
  refused->call->stream_.Finish(ToGrpc(why), refused);
}

}  // namespace twinkle::rpc

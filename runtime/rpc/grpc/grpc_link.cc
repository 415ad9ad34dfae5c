#include "runtime/rpc/grpc/grpc_link.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/rpc/wire_words.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kFullBytes = 2 << 20;   // bytes that wait, so that there is always a message to go on with
constexpr size_t kSlicesOfMessage = 64;  // at most

// A link that this side has opened.
class DialledLink final : public GrpcLink {
 public:
  DialledLink(const std::shared_ptr<grpc::Channel>& channel, Wire wire, Events events)
      : GrpcLink(std::move(wire), std::move(events)), stub_(channel), started_(this) {}

  void Start(const std::string& method, const std::vector<std::pair<std::string, std::string>>& metadata,
             grpc::CompletionQueue* queue) {
    for (const auto& [key, value] : metadata) context_.AddMetadata(key, value);
    call_ = stub_.PrepareCall(&context_, method, queue);
    started_.keep = shared_from_this();
    call_->StartCall(&started_);
  }
  void Cancel() override { context_.TryCancel(); }
  std::string Address() const override { return opened_ ? context_.peer() : ""; }

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
      if (!ok) return link->End();
      link->opened_ = true;
      link->Open(/*greet=*/false);
    }
    DialledLink* const link;
    std::shared_ptr<GrpcLink> keep;
  };

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  Started started_;
  std::atomic<bool> opened_ = false;
  grpc::Status status_;
};

}  // namespace

// ---- both sides
GrpcLink::GrpcLink(Wire wire, Events events)
    : wire_(std::move(wire)),
      events_(std::move(events)),
      choice_(wire_.remote ? wire_.compression : Compression::kNone),
      read_(this),
      write_(this),
      finish_(this) {}

void GrpcLink::Begin(uint64_t first) {
  base::MutexLock lock(&mutex_);
  first_ = first;
}

void GrpcLink::Acknowledge() {
  base::MutexLock lock(&mutex_);
  if (owes_ == Owes::kNothing) owes_ = Owes::kAcknowledgement;
  Pump();
}

bool GrpcLink::Write(const Frame& frame) {
  base::MutexLock lock(&mutex_);
  if (state_ == State::kEnded) return false;
  EachSlice(frame, [this](grpc::Slice slice) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    outgoing_bytes_ += slice.size();
    outgoing_.push_back({std::move(slice), std::exchange(first_, std::nullopt)});
  });
  Pump();
  full_ = outgoing_bytes_ >= kFullBytes;
  return !full_;
}

std::vector<grpc::Slice> GrpcLink::TakeSlices(size_t* bytes, std::optional<uint64_t>* first) {
  std::vector<grpc::Slice> taken;
  *bytes = 0;
  if (!outgoing_.empty()) *first = std::exchange(outgoing_.front().first, std::nullopt);
  while (!outgoing_.empty() && taken.size() < kSlicesOfMessage && *bytes < kMessageBytes) {
    if (outgoing_.front().first) break;
    grpc::Slice& front = outgoing_.front().slice;
    const size_t room = kMessageBytes - *bytes;
    if (front.size() > room) {
      taken.push_back(front.sub(0, room));
      front = front.sub(room, front.size());
      *bytes += room;
      break;
    }
    *bytes += front.size();
    taken.push_back(std::move(front));
    outgoing_.pop_front();
  }
  outgoing_bytes_ -= *bytes;
  return taken;
}

MessageHeader GrpcLink::NextHeader(std::optional<uint64_t> first) {
  MessageHeader header;
  const uint64_t arrived = wire_.arrivals->last;
  const bool greets = std::exchange(owes_, Owes::kNothing) == Owes::kGreeting;
  if (wire_.arrivals->told.exchange(arrived) < arrived || greets) header.acknowledged = arrived;
  if (greets) header.life = wire_.life;
  header.first = first;
  return header;
}

void GrpcLink::StartMessage(const MessageBytes& message) {
  writing_ = true;
  writing_payload_ = message.payload;
  writing_compressed_ = message.compressed;
  writing_since_ = base::Now();
  way().sent += message.bytes.Length();
  StartWrite(message.bytes, write_.Arm());
}

void GrpcLink::Pump() {
  if (state_ != State::kOpen || writing_ || ahead_ == Ahead::kPreparing) return;
  if (std::exchange(ahead_, Ahead::kNothing) == Ahead::kPrepared) return StartMessage(std::exchange(prepared_, {}));
  const bool to_tell =
      owes_ == Owes::kGreeting || (owes_ == Owes::kAcknowledgement && wire_.arrivals->last != wire_.arrivals->told);
  if (outgoing_.empty() && !to_tell) return;
  size_t bytes = 0;
  std::optional<uint64_t> first;
  std::vector<grpc::Slice> slices = TakeSlices(&bytes, &first);
  StartMessage(MessageOf(NextHeader(first), std::move(slices), bytes, /*compress=*/false, *wire_.traffic));
}

void GrpcLink::PrepareNext() {
  MessageHeader header;
  std::vector<grpc::Slice> slices;
  size_t bytes = 0;
  std::optional<uint64_t> first;
  {
    base::MutexLock lock(&mutex_);
    if (!writing_ || state_ == State::kEnded || ahead_ != Ahead::kNothing || outgoing_.empty()) return;
    if (!choice_.consider() || !choice_.compress()) return;
    slices = TakeSlices(&bytes, &first);
    header = NextHeader(first);
    ahead_ = Ahead::kPreparing;
  }
  MessageBytes message = MessageOf(header, std::move(slices), bytes, /*compress=*/true, *wire_.traffic);
  base::MutexLock lock(&mutex_);
  if (state_ == State::kEnded) {
    ahead_ = Ahead::kNothing;
    return;
  }
  ahead_ = Ahead::kPrepared;
  prepared_ = std::move(message);
  Pump();
}

void GrpcLink::To(State next) { state_ = std::max(state_, next); }

void GrpcLink::Open(bool greet) {
  base::MutexLock lock(&mutex_);
  To(State::kOpen);
  if (greet) owes_ = Owes::kGreeting;
  StartRead(&incoming_, read_.Arm());
  Pump();
}

void GrpcLink::End() {
  base::MutexLock lock(&mutex_);
  To(State::kEnded);
  FinishIfIdle();
}

void GrpcLink::FinishIfIdle() {
  if (state_ == State::kEnded && !writing_) StartFinish(finish_.Arm());
}

absl::Status GrpcLink::ReadMessage(ReceivedMessage* message) {
  way().received += incoming_.Length();
  std::vector<grpc::Slice> slices;
  if (!incoming_.Dump(&slices).ok()) return absl::InvalidArgumentError("a message could not be read");
  size_t used = 0;
  TWINKLE_ASSIGN_OR_RETURN(const MessageHeader header, HeaderOf(slices, &used));
  message->life = header.life;
  message->acknowledged = header.acknowledged;
  if (header.first && (*header.first < next_ || !reader_.is_between_frames())) {
    return absl::InvalidArgumentError("frames are numbered anew amid others");
  }
  next_ = header.first.value_or(next_);
  message->first = next_;
  TWINKLE_RETURN_IF_ERROR(ReadFrames(slices, used, header.compressed, reader_, &message->frames));
  if (next_ == 0 && !message->frames.empty()) return absl::InvalidArgumentError("frames without a number");
  next_ += message->frames.size();
  return absl::OkStatus();
}

void GrpcLink::OnRead(bool ok) {
  ReceivedMessage message;
  if (ok && broken_.ok()) {
    broken_ = ReadMessage(&message);
    if (broken_.ok()) events_.on_message(shared_from_this(), std::move(message));
  }
  if (ok && !broken_.ok()) Cancel();  // then the next read fails
  if (!ok) return End();
  base::MutexLock lock(&mutex_);
  incoming_.Clear();
  StartRead(&incoming_, read_.Arm());
}

void GrpcLink::OnWritten(bool ok) {
  bool has_room = false;
  {
    base::MutexLock lock(&mutex_);
    writing_ = false;
    if (ok && writing_payload_ >= kCompressedBytes) {
      choice_.OnSent(writing_payload_, writing_compressed_, base::Now() - writing_since_);
    }
    if (!ok) {  // then reading fails, too
      outgoing_.clear();
      outgoing_bytes_ = 0;
      ahead_ = Ahead::kNothing;
      prepared_ = {};
    }
    Pump();
    has_room = full_ && outgoing_bytes_ < kFullBytes / 2;
    full_ = full_ && !has_room;
    FinishIfIdle();
  }
  if (has_room) events_.on_room(shared_from_this());
  PrepareNext();
}

void GrpcLink::OnFinished(bool) { events_.on_gone(shared_from_this(), broken_.ok() ? FinalStatus() : broken_); }

std::shared_ptr<GrpcLink> GrpcLink::Dial(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                                         const std::vector<std::pair<std::string, std::string>>& metadata,
                                         grpc::CompletionQueue* queue, Wire wire, Events events) {
  auto link = std::make_shared<DialledLink>(channel, std::move(wire), std::move(events));
  link->Start(method, metadata, queue);
  return link;
}

}  // namespace twinkle::rpc

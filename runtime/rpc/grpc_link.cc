#include "runtime/rpc/grpc_link.h"

#include <absl/strings/match.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/streams.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kMessageBytes = 1 << 20;      // of one gRPC message, at most
constexpr size_t kCopiedBytes = 16 << 10;      // buffers up to this size travel in one slice with what precedes them
constexpr size_t kSlicesOfMessage = 64;        // at most
constexpr size_t kCompressedBytes = 64 << 10;  // messages from this size on may be compressed
constexpr size_t kSampleBytes = 8 << 10;
constexpr int kZstdLevel = 1;

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
std::vector<grpc::Slice> TakeSlices(std::deque<grpc::Slice>* slices, size_t* bytes) {
  std::vector<grpc::Slice> taken;
  *bytes = 0;
  while (!slices->empty() && taken.size() < kSlicesOfMessage && *bytes < kMessageBytes) {
    grpc::Slice& front = slices->front();
    const size_t room = kMessageBytes - *bytes;
    if (front.size() > room) {
      taken.push_back(front.sub(0, room));
      front = front.sub(room, front.size());
      *bytes += room;
      break;
    }
    *bytes += front.size();
    taken.push_back(std::move(front));
    slices->pop_front();
  }
  return taken;
}

// What a message begins with: how the rest is to be read.
constexpr char kPlain[] = {0};
constexpr char kZstd[] = {1};

grpc::Slice Kind(const char* kind) { return {kind, 1, grpc::Slice::STATIC_SLICE}; }

// Whether the middle of the longest of them, which stands for all, becomes shorter by a tenth.
bool GetsShorter(const std::vector<grpc::Slice>& slices) {
  const grpc::Slice& longest = *std::max_element(
      slices.begin(), slices.end(), [](const grpc::Slice& a, const grpc::Slice& b) { return a.size() < b.size(); });
  const size_t bytes = std::min(longest.size(), kSampleBytes);
  std::array<char, ZSTD_COMPRESSBOUND(kSampleBytes)> shorter;
  const size_t size =
      ZSTD_compress(shorter.data(), shorter.size(), longest.begin() + (longest.size() - bytes) / 2, bytes, kZstdLevel);
  return ZSTD_isError(size) == 0 && size < bytes / 10 * 9;
}

// Null when they do not become shorter.
std::optional<grpc::Slice> Compressed(const std::vector<grpc::Slice>& slices, size_t bytes) {
  std::string text;
  text.reserve(bytes);
  for (const grpc::Slice& slice : slices) text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  std::string shorter(ZSTD_compressBound(bytes), '\0');
  const size_t size = ZSTD_compress(shorter.data(), shorter.size(), text.data(), text.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0 || size >= bytes) return std::nullopt;
  return grpc::Slice(shorter.data(), size);
}

// What the peer compressed, which is no longer than a message may be.
absl::StatusOr<std::string> Decompressed(std::string_view bytes) {
  const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size > kMessageBytes) return absl::InvalidArgumentError("a compressed message without a size, or too long");
  std::string text(size, '\0');
  const size_t done = ZSTD_decompress(text.data(), text.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(done) != 0 || done != size) return absl::InvalidArgumentError("a compressed message is damaged");
  return text;
}

// Opened by this side.
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
GrpcLink::GrpcLink(Wire wire, Events events)
    : wire_(std::move(wire)),
      events_(std::move(events)),
      choice_(wire_.remote ? wire_.compression : Compression::kNone),
      read_(this),
      write_(this),
      finish_(this) {}

void GrpcLink::Write(const Frame& frame) {
  base::MutexLock lock(&mutex_);
  if (ended_) return;
  AppendSlices(frame, &outgoing_);
  Pump();
}

GrpcLink::Message GrpcLink::MessageOf(std::vector<grpc::Slice> slices, size_t bytes, bool compress) const {
  Message message;
  message.payload = bytes;
  const bool worth_it = compress && bytes >= kCompressedBytes && GetsShorter(slices);
  if (std::optional<grpc::Slice> shorter = worth_it ? Compressed(slices, bytes) : std::nullopt) {
    wire_.traffic->compressed_before += bytes;
    wire_.traffic->compressed_after += shorter->size();
    const grpc::Slice both[] = {Kind(kZstd), *std::move(shorter)};
    message.bytes = grpc::ByteBuffer(both, std::size(both));
    message.compressed = true;
    return message;
  }
  slices.insert(slices.begin(), Kind(kPlain));
  message.bytes = grpc::ByteBuffer(slices.data(), slices.size());
  return message;
}

void GrpcLink::StartMessage(Message message) {
  writing_ = true;
  writing_payload_ = message.payload;
  writing_compressed_ = message.compressed;
  writing_since_ = base::Now();
  way().sent += message.bytes.Length();
  StartWrite(message.bytes, write_.Arm());
}

// An idle link sends what there is as it is: to compress takes milliseconds, and senders must not wait.
void GrpcLink::Pump() {
  if (!open_ || ended_ || writing_ || preparing_) return;
  if (prepared_) return StartMessage(*std::exchange(prepared_, std::nullopt));
  if (outgoing_.empty()) return;
  size_t bytes = 0;
  std::vector<grpc::Slice> slices = TakeSlices(&outgoing_, &bytes);
  StartMessage(MessageOf(std::move(slices), bytes, /*compress=*/false));
}

// While a message is on its way the next one is compressed, without the lock.
void GrpcLink::PrepareNext() {
  std::vector<grpc::Slice> slices;
  size_t bytes = 0;
  {
    base::MutexLock lock(&mutex_);
    if (!writing_ || ended_ || prepared_ || outgoing_.empty() || !choice_.consider() || !choice_.compress()) return;
    slices = TakeSlices(&outgoing_, &bytes);
    preparing_ = true;
  }
  Message message = MessageOf(std::move(slices), bytes, /*compress=*/true);
  base::MutexLock lock(&mutex_);
  preparing_ = false;
  if (!ended_) prepared_ = std::move(message);
  Pump();
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

absl::Status GrpcLink::ReadMessage(std::vector<Frame>* frames) {
  way().received += incoming_.Length();
  std::vector<grpc::Slice> slices;
  if (!incoming_.Dump(&slices).ok()) return absl::InternalError("a message could not be read");
  std::optional<char> kind;
  std::string compressed;
  for (const grpc::Slice& slice : slices) {
    std::string_view bytes(reinterpret_cast<const char*>(slice.begin()), slice.size());
    if (bytes.empty()) continue;
    if (!kind) {
      kind = bytes[0];
      bytes.remove_prefix(1);
    }
    if (*kind == *kZstd) {
      compressed += bytes;
    } else if (*kind == *kPlain) {
      TWINKLE_RETURN_IF_ERROR(reader_.Read(bytes, frames));
    } else {
      return absl::InvalidArgumentError("a message of no kind");
    }
  }
  if (compressed.empty()) return absl::OkStatus();
  TWINKLE_ASSIGN_OR_RETURN(const std::string text, Decompressed(compressed));
  return reader_.Read(text, frames);
}

void GrpcLink::OnRead(bool ok) {
  std::vector<Frame> frames;
  if (ok && broken_.ok()) broken_ = ReadMessage(&frames);
  if (!frames.empty()) events_.on_frames(std::move(frames));
  if (ok && !broken_.ok()) Cancel();  // the next read ends
  if (!ok) return End();
  base::MutexLock lock(&mutex_);
  incoming_.Clear();
  StartRead(&incoming_, read_.Arm());
}

void GrpcLink::OnWritten(bool ok) {
  {
    base::MutexLock lock(&mutex_);
    writing_ = false;
    if (ok && writing_payload_ >= kCompressedBytes) {
      choice_.OnSent(writing_payload_, writing_compressed_, base::Now() - writing_since_);
    }
    if (!ok) {  // reading ends too
      outgoing_.clear();
      prepared_.reset();
    }
    Pump();
    FinishIfIdle();
  }
  PrepareNext();
}

void GrpcLink::OnFinished(bool) { events_.on_gone(broken_.ok() ? FinalStatus() : broken_); }

std::shared_ptr<GrpcLink> GrpcLink::Dial(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                                         const std::vector<std::pair<std::string, std::string>>& metadata,
                                         grpc::CompletionQueue* queue, Wire wire, Events events) {
  auto link = std::make_shared<DialledLink>(channel, std::move(wire), std::move(events));
  link->Start(method, metadata, queue);
  return link;
}

// ---- opened by the peer
class AcceptedLink final : public GrpcLink {
 public:
  AcceptedLink(std::unique_ptr<GrpcLink::Accepting> call, Wire wire, Events events)
      : GrpcLink(std::move(wire), std::move(events)), call_(std::move(call)) {}

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

bool GrpcLink::Accepting::remote() const { return !absl::StartsWith(context_.peer(), "unix"); }

std::shared_ptr<GrpcLink> GrpcLink::Accepting::Begin(std::unique_ptr<Accepting> call, Wire wire, Events events) {
  auto link = std::make_shared<AcceptedLink>(std::move(call), std::move(wire), std::move(events));
  link->Start();
  return link;
}

// Keeps a call until the peer has been told of its end.
struct GrpcLink::Accepting::Ending final : CompletionTag {
  Ending(std::unique_ptr<Accepting> ended, std::function<void()> gone)
      : call(std::move(ended)), on_gone(std::move(gone)) {}
  void Run(bool) override {
    const std::unique_ptr<Ending> self(this);
    call.reset();
    on_gone();
  }
  std::unique_ptr<Accepting> call;
  const std::function<void()> on_gone;
};

void GrpcLink::Accepting::Refuse(std::unique_ptr<Accepting> call, const absl::Status& why,
                                 std::function<void()> on_gone) {
  auto& stream = call->stream_;
  stream.Finish(ToGrpc(why), new Ending(std::move(call), std::move(on_gone)));
}

void GrpcLink::Accepting::Reply(std::unique_ptr<Accepting> call, const std::string& message,
                                std::function<void()> on_gone) {
  const grpc::Slice slice(message);
  auto& stream = call->stream_;
  stream.WriteAndFinish(grpc::ByteBuffer(&slice, 1), {}, grpc::Status::OK,
                        new Ending(std::move(call), std::move(on_gone)));
}

}  // namespace twinkle::rpc

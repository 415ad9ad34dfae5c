#include "runtime/rpc/grpc/grpc_link.h"

#include <absl/strings/match.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/streams.h"
#include "runtime/rpc/wire_words.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kMessageBytes = 1 << 20;      // of one gRPC message, at most
constexpr size_t kFullBytes = 2 << 20;         // that wait: so that there is always a message to go on with
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

// The frame's bytes, large buffers by reference; `add` is given each slice.
template <class Add>
void EachSlice(const Frame& frame, Add add) {
  std::string text = FramePrefix(frame);
  text += frame.head;
  for (const codec::Buffer& buffer : frame.buffers) {
    if (buffer.size <= kCopiedBytes) {
      text.append(reinterpret_cast<const char*>(buffer.data), buffer.size);
      continue;
    }
    if (!text.empty()) add(grpc::Slice(text));
    text.clear();
    add(SliceOf(buffer));
  }
  if (!text.empty()) add(grpc::Slice(text));
}

grpc::Slice HeaderSlice(const MessageHeader& header) { return grpc::Slice(header.Encode()); }

// Of the thread that compresses: a new one takes longer to make than a short message to compress.
ZSTD_CCtx* Compressor() {
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_CCtx, Free> kContext(ZSTD_createCCtx());
  return kContext.get();
}
ZSTD_DCtx* Decompressor() {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> kContext(ZSTD_createDCtx());
  return kContext.get();
}

// Whether the middle of the longest of them, which stands for all, becomes shorter by a tenth.
bool GetsShorter(const std::vector<grpc::Slice>& slices) {
  const grpc::Slice& longest = *std::max_element(
      slices.begin(), slices.end(), [](const grpc::Slice& a, const grpc::Slice& b) { return a.size() < b.size(); });
  const size_t bytes = std::min(longest.size(), kSampleBytes);
  std::array<char, ZSTD_COMPRESSBOUND(kSampleBytes)> shorter;
  const size_t size = ZSTD_compressCCtx(Compressor(), shorter.data(), shorter.size(),
                                        longest.begin() + (longest.size() - bytes) / 2, bytes, kZstdLevel);
  return ZSTD_isError(size) == 0 && size < bytes / 10 * 9;
}

// Null when they do not become shorter.
std::optional<grpc::Slice> Compressed(const std::vector<grpc::Slice>& slices, size_t bytes) {
  std::string text;
  text.reserve(bytes);
  for (const grpc::Slice& slice : slices) text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  std::string shorter(ZSTD_compressBound(bytes), '\0');
  const size_t size =
      ZSTD_compressCCtx(Compressor(), shorter.data(), shorter.size(), text.data(), text.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0 || size >= bytes) return std::nullopt;
  return grpc::Slice(shorter.data(), size);
}

// What the peer compressed, which is no longer than a message may be.
absl::StatusOr<std::string> Decompressed(std::string_view bytes) {
  const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size > kMessageBytes) return absl::InvalidArgumentError("a compressed message without a size, or too long");
  std::string text(size, '\0');
  const size_t done = ZSTD_decompressDCtx(Decompressor(), text.data(), text.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(done) != 0 || done != size) return absl::InvalidArgumentError("a compressed message is damaged");
  return text;
}

// The beginning of the message, however it was cut.
std::string FrontOf(const std::vector<grpc::Slice>& slices) {
  std::string front;
  for (const grpc::Slice& slice : slices) {
    const size_t room = MessageHeader::kLongest - front.size();
    front.append(reinterpret_cast<const char*>(slice.begin()), std::min(slice.size(), room));
    if (front.size() == MessageHeader::kLongest) break;
  }
  return front;
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
  acknowledges_ = true;
  Pump();
}

bool GrpcLink::Write(const Frame& frame) {
  base::MutexLock lock(&mutex_);
  if (ended_) return false;
  EachSlice(frame, [this](grpc::Slice slice) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    outgoing_bytes_ += slice.size();
    outgoing_.push_back({std::move(slice), std::exchange(first_, std::nullopt)});
  });
  Pump();
  full_ = outgoing_bytes_ >= kFullBytes;
  return !full_;
}

// One message's worth from the front. A number that is to be said begins a message.
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
  if (wire_.arrivals->told.exchange(arrived) < arrived || greets_) header.acknowledged = arrived;
  if (std::exchange(greets_, false)) header.life = wire_.life;
  header.first = first;
  acknowledges_ = false;
  return header;
}

GrpcLink::Message GrpcLink::MessageOf(MessageHeader header, std::vector<grpc::Slice> slices, size_t bytes,
                                      bool compress) const {
  Message message;
  message.payload = bytes;
  const bool worth_it = compress && bytes >= kCompressedBytes && GetsShorter(slices);
  if (std::optional<grpc::Slice> shorter = worth_it ? Compressed(slices, bytes) : std::nullopt) {
    wire_.traffic->compressed_before += bytes;
    wire_.traffic->compressed_after += shorter->size();
    header.compressed = true;
    const grpc::Slice both[] = {HeaderSlice(header), *std::move(shorter)};
    message.bytes = grpc::ByteBuffer(both, std::size(both));
    message.compressed = true;
    return message;
  }
  slices.insert(slices.begin(), HeaderSlice(header));
  message.bytes = grpc::ByteBuffer(slices.data(), slices.size());
  return message;
}

void GrpcLink::StartMessage(const Message& message) {
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
  const bool to_tell = acknowledges_ && wire_.arrivals->last != wire_.arrivals->told;
  if (outgoing_.empty() && !to_tell && !greets_) return;
  size_t bytes = 0;
  std::optional<uint64_t> first;
  std::vector<grpc::Slice> slices = TakeSlices(&bytes, &first);
  StartMessage(MessageOf(NextHeader(first), std::move(slices), bytes, /*compress=*/false));
}

// While a message is on its way the next one is compressed, without the lock.
void GrpcLink::PrepareNext() {
  MessageHeader header;
  std::vector<grpc::Slice> slices;
  size_t bytes = 0;
  std::optional<uint64_t> first;
  {
    base::MutexLock lock(&mutex_);
    if (!writing_ || ended_ || prepared_ || outgoing_.empty() || !choice_.consider() || !choice_.compress()) return;
    slices = TakeSlices(&bytes, &first);
    header = NextHeader(first);
    preparing_ = true;
  }
  Message message = MessageOf(header, std::move(slices), bytes, /*compress=*/true);
  base::MutexLock lock(&mutex_);
  preparing_ = false;
  if (!ended_) prepared_ = std::move(message);
  Pump();
}

void GrpcLink::Open(bool greet) {
  base::MutexLock lock(&mutex_);
  open_ = true;
  greets_ = greet;
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

absl::Status GrpcLink::ReadMessage(Heard* heard) {
  way().received += incoming_.Length();
  std::vector<grpc::Slice> slices;
  if (!incoming_.Dump(&slices).ok()) return absl::InvalidArgumentError("a message could not be read");
  size_t used = 0;
  TWINKLE_ASSIGN_OR_RETURN(const MessageHeader header, MessageHeader::Decode(FrontOf(slices), &used));
  heard->life = header.life;
  heard->acknowledged = header.acknowledged;
  if (header.first && (*header.first < next_ || !reader_.is_between_frames())) {
    return absl::InvalidArgumentError("frames are numbered anew amid others");
  }
  next_ = header.first.value_or(next_);
  heard->first = next_;
  TWINKLE_RETURN_IF_ERROR(ReadFrames(slices, used, header.compressed, &heard->frames));
  if (next_ == 0 && !heard->frames.empty()) return absl::InvalidArgumentError("frames without a number");
  next_ += heard->frames.size();
  return absl::OkStatus();
}

absl::Status GrpcLink::ReadFrames(const std::vector<grpc::Slice>& slices, size_t header, bool compressed,
                                  std::vector<Frame>* frames) {
  std::string together;
  for (const grpc::Slice& slice : slices) {
    std::string_view bytes(reinterpret_cast<const char*>(slice.begin()), slice.size());
    const size_t skipped = std::min(header, bytes.size());
    header -= skipped;
    bytes.remove_prefix(skipped);
    if (compressed) {
      together += bytes;
    } else {
      TWINKLE_RETURN_IF_ERROR(reader_.Read(bytes, frames));
    }
  }
  if (!compressed) return absl::OkStatus();
  TWINKLE_ASSIGN_OR_RETURN(const std::string text, Decompressed(together));
  return reader_.Read(text, frames);
}

void GrpcLink::OnRead(bool ok) {
  Heard heard;
  if (ok && broken_.ok()) {
    broken_ = ReadMessage(&heard);
    if (broken_.ok()) events_.on_message(std::move(heard));
  }
  if (ok && !broken_.ok()) Cancel();  // the next read ends
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
    if (!ok) {  // reading ends too
      outgoing_.clear();
      outgoing_bytes_ = 0;
      prepared_.reset();
    }
    Pump();
    has_room = full_ && outgoing_bytes_ < kFullBytes / 2;
    full_ = full_ && !has_room;
    FinishIfIdle();
  }
  if (has_room) events_.on_room();
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

  void Start() { Open(/*greet=*/true); }
  void Cancel() override { call_->context_.TryCancel(); }
  std::string Address() const override { return call_->context_.peer(); }

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

std::string GrpcLink::Accepting::peer() const { return context_.peer(); }

bool GrpcLink::Accepting::remote() const { return !absl::StartsWith(peer(), "unix"); }

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

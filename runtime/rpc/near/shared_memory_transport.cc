#include "runtime/rpc/near/shared_memory_transport.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "runtime/base/bytes_text.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/memory/memory_file.h"
#include "runtime/rpc/secret.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kCopiesKnown = 64;
constexpr size_t kMostProbeBytes = 4096;
constexpr int kProbeSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

// The head of a frame ends with a trailer and its size.
using TrailerSize = uint32_t;

void AppendTrailer(const FrameTrailer& trailer, std::string* head) {
  const std::string text = codec::Encode(codec::Hold(trailer), nullptr, SIZE_MAX)->head;
  const TrailerSize size = static_cast<TrailerSize>(text.size());
  head->append(text).append(reinterpret_cast<const char*>(&size), sizeof(size));
}

// The commonest one: it says nothing.
void AppendNoTrailer(std::string* head) { head->append(sizeof(TrailerSize), '\0'); }

// Nothing when there is nothing to say.
absl::StatusOr<std::optional<FrameTrailer>> TakeTrailer(std::string* head) {
  TrailerSize size = 0;
  if (head->size() < sizeof(size)) return absl::InvalidArgumentError("a frame without a trailer");
  std::memcpy(&size, head->data() + head->size() - sizeof(size), sizeof(size));
  head->resize(head->size() - sizeof(size));
  if (size == 0) return std::nullopt;
  if (size > head->size()) return absl::InvalidArgumentError("a frame's trailer is cut off");
  const std::string_view text(head->data() + head->size() - size, size);
  TWINKLE_ASSIGN_OR_RETURN(FrameTrailer trailer, codec::DecodeAs<FrameTrailer>(text, {}));
  head->resize(head->size() - size);
  return trailer;
}

// What a peer's probe has in it, as far as that can be the same.
absl::StatusOr<std::string> ContentOf(const ReadProbe& probe) {
  if (probe.content.size() > kMostProbeBytes) return absl::InvalidArgumentError("a probe that is too large");
  const base::Fd file(memory::OpenFileOf(probe.pid, probe.fd));
  std::string content(probe.content.size(), '\0');
  if (!file.valid() || ::fcntl(file.get(), F_GET_SEALS) != kProbeSeals ||
      ::pread(file.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size())) {
    return absl::ErrnoToStatus(errno, "the probe cannot be read");
  }
  return content;
}

// What a peer says is at that place of its memory.
absl::StatusOr<std::shared_ptr<const std::byte>> BytesAt(
    const std::vector<std::unique_ptr<memory::MappedMemory>>& mapped, const SharedBuffer& shared) {
  const size_t kind = shared.place.index();
  if (kind >= mapped.size()) return absl::InvalidArgumentError("a place in memory of a kind that is unknown here");
  return mapped[kind]->At(shared.place, shared.bytes);
}

}  // namespace

// Tells owners of what is no longer mapped here, many at a time, from a thread of its own: the last reference to a
// buffer may go anywhere, under any lock.
class SharedMemoryTransport::Releases : public std::enable_shared_from_this<SharedMemoryTransport::Releases> {
 public:
  Releases(base::Executor* executor, std::string name) : executor_(*executor), name_(std::move(name)) {}

  void SetTransport(Transport* below) {
    base::MutexLock lock(&mutex_);
    below_ = below;
  }
  // Whether there is a thread that tells owners: nothing may be mapped without.
  bool Ready() {
    base::MutexLock lock(&mutex_);
    return HasThread();
  }
  void Add(ProcessId peer, uint64_t lease) {
    if (::getpid() != process_) return;  // a fork of it has no lease
    base::MutexLock lock(&mutex_);
    if (below_ == nullptr) return;
    pending_[peer].released.push_back(lease);
    FlushLater();
  }
  // Those that map memory of this process.
  void AddReader(ProcessId peer) {
    base::MutexLock lock(&mutex_);
    readers_.insert(peer);
  }
  void RemoveReader(ProcessId peer) {
    base::MutexLock lock(&mutex_);
    readers_.erase(peer);
    pending_.erase(peer);
  }
  // A chunk of this process's memory is gone.
  void AddUnmapped(const UnmappedChunk& gone) {
    base::MutexLock lock(&mutex_);
    if (below_ == nullptr || readers_.empty()) return;
    for (ProcessId peer : readers_) pending_[peer].unmapped.push_back(gone);
    FlushLater();
  }
  // Not from a task of its own queue.
  void Close() {
    std::unique_ptr<base::TaskQueue> queue;
    Flush();
    {
      base::MutexLock lock(&mutex_);
      below_ = nullptr;
      queue = std::move(queue_);
    }
    if (queue != nullptr) queue->Close();
  }

 private:
  bool HasThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (queue_ == nullptr && below_ != nullptr) queue_ = executor_.NewQueue(name_);
    return queue_ != nullptr;
  }
  void FlushLater() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (flushing_ || !HasThread()) return;  // without a thread what is to be told waits for the next
    flushing_ = true;
    queue_->Post([self = shared_from_this()] { self->Flush(); });
  }
  void Flush() {
    absl::flat_hash_map<ProcessId, FrameTrailer> pending;
    Transport* below = nullptr;
    {
      base::MutexLock lock(&mutex_);
      flushing_ = false;
      pending.swap(pending_);
      below = below_;
    }
    for (auto& [peer, trailer] : pending) {
      if (below == nullptr) return;
      trailer.bare = true;
      Frame frame;
      AppendTrailer(trailer, &frame.head);
      below->Send(peer, Stream::kControl, std::move(frame)).IgnoreError();
    }
  }

  base::Executor& executor_;
  const std::string name_;
  const pid_t process_ = ::getpid();
  base::Mutex mutex_;
  Transport* below_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::unique_ptr<base::TaskQueue> queue_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<ProcessId, FrameTrailer> pending_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<ProcessId> readers_ ABSL_GUARDED_BY(mutex_);
  bool flushing_ ABSL_GUARDED_BY(mutex_) = false;
};

// ---- life
SharedMemoryTransport::SharedMemoryTransport(Options options, base::Executor* executor,
                                             std::unique_ptr<Transport> below)
    : options_(std::move(options)),
      below_(std::move(below)),
      releases_(std::make_shared<Releases>(executor, absl::StrCat("release.", options_.self))) {
  MakeProbe();
  for (size_t kind = 0; kind < options_.memories.size(); ++kind) {
    options_.memories[kind]->OnUnmapped([weak = std::weak_ptr(releases_), kind](uint64_t chunk) {
      if (const auto releases = weak.lock()) releases->AddUnmapped({kind, chunk});
    });
  }
  releases_->SetTransport(below_.get());
}

void SharedMemoryTransport::Start(Receiver* receiver, base::TaskQueue* queue) {
  receiver_ = receiver;
  for (const auto& memory : options_.memories) {
    memory->OnIdle([queue, weak = std::weak_ptr(memory)](absl::Duration delay) {
      queue->PostAfter(delay, [weak] {
        if (const auto idle = weak.lock()) idle->Trim();
      });
    });
  }
  below_->Start(this, queue);
}

SharedMemoryTransport::~SharedMemoryTransport() { Close(); }

// A file of its own: shared memory is only made when there is something for it.
void SharedMemoryTransport::MakeProbe() {
  probe_ = base::Fd(::memfd_create("twinkle.probe", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  nonce_ = NewSecret();
  const bool written = probe_.valid() &&
                       ::write(probe_.get(), nonce_.data(), nonce_.size()) == static_cast<ssize_t>(nonce_.size()) &&
                       ::fcntl(probe_.get(), F_ADD_SEALS, kProbeSeals) == 0;
  if (!written) probe_.Reset();  // then nobody can read it, and everything travels
}

void SharedMemoryTransport::Close() {
  if (closed_.exchange(true)) return;
  releases_->Close();
  below_->Close();
  // Methods may still run here, and readers still read.
  for (const auto& [id, peer] : peers_.All()) {
    base::ProcessMark reader;
    std::shared_ptr<const Mapped> mapped;  // unmapped outside the lock, but for what is still in use
    {
      base::MutexLock lock(&peer->mutex);
      reader = peer->reader;
      mapped = std::move(peer->mapped);
    }
    leases_.PeerLost(id, reader);
  }
  {
    base::MutexLock lock(&mutex_);
    copied_.clear();
  }
  for (const auto& memory : options_.memories) memory->Close();
}

// ---- sending
absl::Status SharedMemoryTransport::Send(ProcessId to, Stream stream, Frame frame) {
  if (closed_) return absl::CancelledError("this process has left its job");
  bool ask = false;
  bool shares = false;
  if (to != options_.self) {
    Peer& peer = peers_.At(to);
    if (peer.lost) {
      base::MutexLock lock(&peer.mutex);
      return absl::UnavailableError(peer.why.message());
    }
    ask = !peer.asked && !peer.asked.exchange(true) && probe_.valid() && options_.is_near(to);
    shares = peer.shares;
  }
  FrameTrailer trailer;
  if (ask) trailer.probe = ReadProbe{::getpid(), probe_.get(), nonce_};
  if (shares) ShareBuffers(to, &frame, &trailer);
  if (ask || !trailer.shared.empty()) {
    AppendTrailer(trailer, &frame.head);
  } else {
    AppendNoTrailer(&frame.head);
  }
  absl::Status sent = below_->Send(to, stream, std::move(frame));
  if (!sent.ok()) {
    std::vector<uint64_t> unsent;
    for (const SharedBuffer& shared : trailer.shared) unsent.push_back(shared.lease);
    leases_.Release(to, unsent);
  }
  return sent;
}

void SharedMemoryTransport::ShareBuffers(ProcessId to, Frame* frame, FrameTrailer* trailer) {
  std::vector<codec::Buffer> travelling;
  for (size_t i = 0; i < frame->buffers.size(); ++i) {
    codec::Buffer& buffer = frame->buffers[i];
    memory::Place place;
    std::shared_ptr<const void> owner;
    if (buffer.size >= options_.shared_bytes) owner = InSharedMemory(buffer, &place);
    if (owner == nullptr) {
      travelling.push_back(std::move(buffer));
      continue;
    }
    options_.traffic->shared.sent += buffer.size;
    trailer->shared.push_back({i, place, buffer.size, leases_.Add(to, std::move(owner))});
  }
  frame->buffers = std::move(travelling);
}

// Where others find the buffer, and who keeps it there; copies it into shared memory if need be. Null: there is no
// room, or it is not to be in memory.
std::shared_ptr<const void> SharedMemoryTransport::InSharedMemory(const codec::Buffer& buffer, memory::Place* place) {
  for (const auto& memory : options_.memories) {
    if (const auto found = memory->Find(buffer.data, buffer.size)) {
      *place = *found;
      return buffer.owner;
    }
  }
  if (options_.files != nullptr && options_.files->Has(buffer.data)) return nullptr;
  std::shared_ptr<const Copy> copy = CopyOf(buffer);
  if (copy != nullptr) *place = *options_.memories.front()->Find(copy->memory.get(), buffer.size);
  return copy;
}

// One that was made lately, or a new one. Null: there is no room.
std::shared_ptr<const SharedMemoryTransport::Copy> SharedMemoryTransport::CopyOf(const codec::Buffer& buffer) {
  if (buffer.owner != nullptr) {
    base::MutexLock lock(&mutex_);
    for (const Copied& known : copied_) {
      if (known.data != buffer.data || known.size != buffer.size || known.owner.lock() != buffer.owner) continue;
      if (auto copy = known.copy.lock()) return copy;
    }
  }
  std::shared_ptr<std::byte> memory = options_.memories.front()->CopyOf(buffer.data, buffer.size);
  if (memory == nullptr) return nullptr;
  auto copy = std::make_shared<const Copy>(Copy{std::move(memory), buffer.owner});
  options_.traffic->copied_to_share += buffer.size;
  base::MutexLock lock(&mutex_);
  if (copied_.size() < kCopiesKnown) copied_.emplace_back();
  copied_[next_copied_++ % kCopiesKnown] = {buffer.owner, buffer.data, buffer.size, copy};
  return copy;
}

// ---- receiving
void SharedMemoryTransport::OnFrame(ProcessId from, Stream stream, Frame frame) {
  absl::StatusOr<std::optional<FrameTrailer>> trailer = TakeTrailer(&frame.head);
  absl::Status status = trailer.status();
  if (status.ok() && trailer->has_value()) {
    OnTrailer(from, **trailer);
    if ((*trailer)->bare) return;
    status = Resolve(from, **trailer, &frame);
  }
  if (peers_.At(from).lost) return;
  if (!status.ok()) return LoseUnread(from, status);
  receiver_->OnFrame(from, stream, std::move(frame));
}

// Nothing that it sends can be understood from here on.
void SharedMemoryTransport::LoseUnread(ProcessId peer, const absl::Status& why) {
  base::Log(base::LogLevel::kError, absl::StrCat("what process ", peer, " sends cannot be read: ", why.message()));
  Lose(peer, absl::UnavailableError(absl::StrCat("what it sends cannot be read: ", why.message())));
}

void SharedMemoryTransport::Lose(ProcessId peer, const absl::Status& why) {
  {
    Peer& lost = peers_.At(peer);
    base::MutexLock lock(&lost.mutex);
    if (!lost.lost) lost.why = why;
    lost.lost = true;
  }
  below_->Lose(peer, why);
}

void SharedMemoryTransport::SendBare(ProcessId to, FrameTrailer trailer) {
  trailer.bare = true;
  Frame frame;
  AppendTrailer(trailer, &frame.head);
  below_->Send(to, Stream::kControl, std::move(frame)).IgnoreError();
}

void SharedMemoryTransport::OnTrailer(ProcessId from, const FrameTrailer& trailer) {
  if (trailer.probe) Answer(from, trailer);
  if (!trailer.released.empty()) leases_.Release(from, trailer.released);
  base::ProcessMark reader;
  if (trailer.answer && trailer.answer->readable) reader = base::ProcessMark::Of(trailer.answer->pid);
  Peer& peer = peers_.At(from);
  base::MutexLock lock(&peer.mutex);
  if (reader.pid != 0 && peer.reader.pid == 0) {
    peer.reader = reader;
    peer.shares = true;
    releases_->AddReader(from);
  }
  if (peer.mapped == nullptr) return;
  for (const UnmappedChunk& gone : trailer.unmapped) {
    if (gone.kind < peer.mapped->size()) (*peer.mapped)[gone.kind]->Forget(gone.chunk);
  }
}

// Whether the peer's files can be read from here: the content proves that it is the peer's.
void SharedMemoryTransport::Answer(ProcessId from, const FrameTrailer& trailer) {
  const ReadProbe& probe = *trailer.probe;
  const absl::StatusOr<std::string> content = spare_.Lend([&] { return ContentOf(probe); });
  const bool readable = content.ok() && !content->empty() && *content == probe.content;
  if (readable) {
    Mapped mapped;
    for (const auto& memory : options_.memories) mapped.push_back(memory->MappedOf(probe.pid));
    Peer& peer = peers_.At(from);
    base::MutexLock lock(&peer.mutex);
    peer.mapped = std::make_shared<const Mapped>(std::move(mapped));
  }
  FrameTrailer answer;
  answer.answer = ReadAnswer{::getpid(), readable};
  SendBare(from, std::move(answer));
}

absl::Status SharedMemoryTransport::Resolve(ProcessId from, const FrameTrailer& trailer, Frame* frame) {
  if (trailer.shared.empty()) return absl::OkStatus();
  std::shared_ptr<const Mapped> mapped;
  {
    Peer& peer = peers_.At(from);
    base::MutexLock lock(&peer.mutex);
    mapped = peer.mapped;
  }
  if (mapped == nullptr) return absl::InvalidArgumentError("places in memory that were not to be sent");
  struct Held {
    Held(std::shared_ptr<Releases> to, ProcessId peer, uint64_t id) : releases(std::move(to)), owner(peer), lease(id) {}
    ~Held() {
      memory.reset();
      releases->Add(owner, lease);
    }
    const std::shared_ptr<Releases> releases;
    const ProcessId owner;
    const uint64_t lease;
    std::shared_ptr<const std::byte> memory;
  };
  const bool ready = releases_->Ready();
  FrameTrailer unmapped;
  std::vector<codec::Buffer> all;
  size_t travelled = 0;
  for (const SharedBuffer& shared : trailer.shared) {
    while (all.size() < shared.index && travelled < frame->buffers.size()) {
      all.push_back(std::move(frame->buffers[travelled++]));
    }
    if (all.size() != shared.index) return absl::InvalidArgumentError("buffers out of order");
    absl::StatusOr<std::shared_ptr<const std::byte>> memory = base::NoThread();
    if (ready) memory = spare_.Lend([&] { return BytesAt(*mapped, shared); });
    if (absl::IsResourceExhausted(memory.status())) {
      unmapped.released.push_back(shared.lease);
      all.push_back(codec::Missing(
          shared.bytes,
          absl::ResourceExhaustedError(absl::StrCat("a value of ", base::BytesText(shared.bytes),
                                                    " that came cannot be mapped here: ", memory.status().message()))));
      continue;
    }
    const auto held = std::make_shared<Held>(releases_, from, shared.lease);
    TWINKLE_RETURN_IF_ERROR(memory.status());
    held->memory = *std::move(memory);
    all.push_back({held->memory.get(), shared.bytes, held});
    options_.traffic->shared.received += shared.bytes;
  }
  if (!unmapped.released.empty()) SendBare(from, std::move(unmapped));
  while (travelled < frame->buffers.size()) all.push_back(std::move(frame->buffers[travelled++]));
  frame->buffers = std::move(all);
  return absl::OkStatus();
}

void SharedMemoryTransport::OnLost(ProcessId peer, const absl::Status& why) {
  base::ProcessMark reader;
  bool told = false;
  {
    Peer& lost = peers_.At(peer);
    base::MutexLock lock(&lost.mutex);
    reader = lost.reader;
    lost.mapped = nullptr;
    told = std::exchange(lost.told, true);
    if (!lost.lost) lost.why = why;
    lost.lost = true;
  }
  releases_->RemoveReader(peer);
  leases_.PeerLost(peer, reader);
  if (!told) receiver_->OnLost(peer, why);
}

}  // namespace twinkle::rpc

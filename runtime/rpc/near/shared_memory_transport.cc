#include "runtime/rpc/near/shared_memory_transport.h"

#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace twinkle::rpc {

// ---- life
SharedMemoryTransport::SharedMemoryTransport(Options options, base::Executor* executor,
                                             std::unique_ptr<Transport> below)
    : options_(std::move(options)),
      below_(std::move(below)),
      releases_(std::make_shared<Releases>(executor, absl::StrCat("release.", options_.self))),
      buffers_(options_.buffers, releases_, options_.traffic) {
  releases_->Begin([this](ProcessId peer, NearWord word) { Say(peer, std::move(word)); });
}

void SharedMemoryTransport::Start(Receiver* receiver, base::TaskQueue* queue) {
  receiver_ = receiver;
  for (const auto& memory : options_.buffers.memories) {
    memory->OnIdle([queue, weak = std::weak_ptr(memory)](absl::Duration delay) {
      queue->PostAfter(delay, [weak] {
        if (const auto idle = weak.lock()) idle->Trim();
      });
    });
  }
  below_->Start(this, queue);
}

SharedMemoryTransport::~SharedMemoryTransport() { Close(); }

void SharedMemoryTransport::Close() {
  if (closed_.exchange(true)) return;
  releases_->Close();
  below_->Close();
  // Methods may still run here, and readers still read.
  for (const auto& [id, peer] : peers_.All()) {
    base::ProcessMark reader;
    std::shared_ptr<const PeerMemory> memory;  // unmapped outside the lock, but for what is still in use
    {
      base::MutexLock lock(&peer->mutex);
      reader = peer->reader;
      memory = std::move(peer->memory);
    }
    buffers_.PeerLost(id, reader);
  }
  buffers_.Close();
}

// ---- sending
absl::Status SharedMemoryTransport::Send(ProcessId to, Stream stream, Frame frame) {
  if (closed_) return absl::CancelledError("this process has left its job");
  NearWord word;
  if (to != options_.self) {
    Peer& peer = peers_.At(to);
    if (peer.lost) {
      base::MutexLock lock(&peer.mutex);
      return absl::UnavailableError(peer.why.message());
    }
    if (!peer.asked && !peer.asked.exchange(true) && probe_.there() && options_.is_near(to)) {
      word.hello = Hello{::getpid(), probe_.fd(), probe_.nonce(), std::nullopt};
    }
    if (peer.shares) word.shared = buffers_.Share(to, &frame);
  }
  if (word.hello || !word.shared.empty()) {
    AppendWord(word, &frame.head);
  } else {
    AppendNoWord(&frame.head);
  }
  absl::Status sent = below_->Send(to, stream, std::move(frame));
  if (!sent.ok()) buffers_.Unshare(to, word.shared);
  return sent;
}

// ---- receiving
void SharedMemoryTransport::OnFrame(ProcessId from, Stream stream, Frame frame) {
  absl::StatusOr<std::optional<NearWord>> word = TakeWord(&frame.head);
  absl::Status status = word.status();
  if (status.ok() && word->has_value()) {
    OnWord(from, **word);
    if ((*word)->bare) return;
    status = Resolve(from, **word, &frame);
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

void SharedMemoryTransport::Say(ProcessId to, NearWord word) {
  below_->Send(to, Stream::kControl, BareFrame(std::move(word))).IgnoreError();  // else it is lost, and that is told
}

void SharedMemoryTransport::OnWord(ProcessId from, const NearWord& word) {
  if (word.hello) Answer(from, *word.hello);
  if (!word.released.empty()) buffers_.Release(from, word.released);
  base::ProcessMark reader;
  if (word.answer && word.answer->readable) reader = base::ProcessMark::Of(word.answer->pid);
  Peer& peer = peers_.At(from);
  base::MutexLock lock(&peer.mutex);
  if (reader.pid != 0 && peer.reader.pid == 0) {
    peer.reader = reader;
    peer.shares = true;
    releases_->AddReader(from);
  }
  if (peer.memory == nullptr) return;
  for (const UnmappedChunk& gone : word.unmapped) peer.memory->Forget(gone);
}

void SharedMemoryTransport::Answer(ProcessId from, const Hello& hello) {
  const auto memory = buffers_.MemoryOf(hello);
  if (memory.ok()) {
    Peer& peer = peers_.At(from);
    base::MutexLock lock(&peer.mutex);
    peer.memory = *memory;
  }
  NearWord answer;
  answer.answer = HelloAnswer{::getpid(), memory.ok(), false};
  Say(from, std::move(answer));
}

absl::Status SharedMemoryTransport::Resolve(ProcessId from, const NearWord& word, Frame* frame) {
  if (word.shared.empty()) return absl::OkStatus();
  std::shared_ptr<const PeerMemory> memory;
  {
    Peer& peer = peers_.At(from);
    base::MutexLock lock(&peer.mutex);
    memory = peer.memory;
  }
  if (memory == nullptr) return absl::InvalidArgumentError("places in memory that were not to be sent");
  NearWord back;
  TWINKLE_RETURN_IF_ERROR(buffers_.Resolve(from, *memory, word.shared, frame, &back.released));
  if (!back.released.empty()) Say(from, std::move(back));
  return absl::OkStatus();
}

void SharedMemoryTransport::OnLost(ProcessId peer, const absl::Status& why) {
  base::ProcessMark reader;
  bool told = false;
  {
    Peer& lost = peers_.At(peer);
    base::MutexLock lock(&lost.mutex);
    reader = lost.reader;
    lost.memory = nullptr;
    told = std::exchange(lost.told, true);
    if (!lost.lost) lost.why = why;
    lost.lost = true;
  }
  releases_->RemoveReader(peer);
  buffers_.PeerLost(peer, reader);
  if (!told) receiver_->OnLost(peer, why);
}

}  // namespace twinkle::rpc

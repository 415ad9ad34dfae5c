#include "runtime/rpc/near/near_transport.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace twinkle::rpc {
namespace {

// The frame that ends a stream on the transport below: a word that says `switched`.
const Frame& SwitchFrame() {
  static const Frame& frame = *new Frame([] {
    NearWord word;
    word.switched = true;
    return BareFrame(std::move(word));
  }());
  return frame;
}

}  // namespace

// ---- life
NearTransport::NearTransport(Options options, base::Executor* executor, std::unique_ptr<Transport> below)
    : options_(std::move(options)),
      below_(std::move(below)),
      releases_(std::make_shared<Releases>(executor, absl::StrCat("release.", options_.self))),
      buffers_(options_.buffers, releases_, options_.traffic),
      rings_(options_.polling, {.count = [this] { return neighbours_.size(); }, .all = [this] { return Links(); }},
             {.on_frames = [this](ProcessId from, Stream stream,
                                  auto frames) { OnRingFrames(from, stream, std::move(frames)); },
              .on_unreadable = [this](ProcessId peer, const absl::Status& why) { LoseUnread(peer, why); },
              .on_drained = [this](ProcessId peer) { OnDrained(peer); }}) {
  releases_->Begin([this](ProcessId peer, NearWord word) { SendWord(peer, std::move(word)); });
}

NearTransport::~NearTransport() { Close(); }

void NearTransport::Start(Receiver* receiver, base::TaskQueue* queue) {
  receiver_ = receiver;
  queue_ = queue;
  for (const auto& memory : options_.buffers.memories) {
    memory->OnIdle([queue, weak = std::weak_ptr(memory)](absl::Duration delay) {
      queue->PostAfter(delay, [weak] {
        if (const auto idle = weak.lock()) idle->Trim();
      });
    });
  }
  below_->Start(this, queue);
}

// Close ends the giving out of memory only; methods may still run in this process, and readers may still read.
void NearTransport::Close() {
  if (!open_->exchange(false)) return;
  releases_->Close();
  rings_.Close();
  below_->Close();
  for (const auto& [id, neighbour] : neighbours_.All()) buffers_.PeerLost(id, neighbour->LetGo());
  buffers_.Close();
}

Neighbour& NearTransport::NeighbourOf(ProcessId peer) {
  return neighbours_.At(peer, [this, peer](size_t neighbours) {
    return std::make_unique<Neighbour>(
        [this, peer](Stream stream, Frame frame) { return below_->Send(peer, stream, std::move(frame)); },
        neighbours % Doorbell::kSlots);
  });
}

std::vector<std::pair<ProcessId, RingLink*>> NearTransport::Links() {
  std::vector<std::pair<ProcessId, RingLink*>> links;
  for (const auto& [peer, neighbour] : neighbours_.All()) links.emplace_back(peer, &neighbour->link());
  return links;
}

// ---- sending
absl::Status NearTransport::Send(ProcessId to, Stream stream, Frame frame) {
  if (!*open_) return absl::CancelledError("this process has left its job");
  if (to == options_.self) return below_->Send(to, stream, std::move(frame));
  Neighbour& neighbour = NeighbourOf(to);
  if (neighbour.is_over()) return absl::UnavailableError(neighbour.why().message());
  if (neighbour.state() == Neighbour::State::kStranger) Greet(to, neighbour);
  NearWord word;
  if (neighbour.state() == Neighbour::State::kNear) word.shared = buffers_.Share(to, &frame);
  if (word.shared.empty()) {
    AppendNoWord(&frame.head);
  } else {
    AppendWord(word, &frame.head);
  }
  absl::Status passed = SendFrame(neighbour, stream, std::move(frame));
  if (!passed.ok()) buffers_.Unshare(to, word.shared);
  return passed;
}

void NearTransport::Greet(ProcessId to, Neighbour& neighbour) {
  NearWord word;
  word.hello = neighbour.Greet(options_.is_near(to), probe_, rings_);
  if (word.hello) SendBelow(to, std::move(word));
}

void NearTransport::SendBelow(ProcessId to, NearWord word) {
  // If that fails the peer is lost, which is told by itself.
  below_->Send(to, Stream::kControl, BareFrame(std::move(word))).IgnoreError();
}

absl::Status NearTransport::SendFrame(Neighbour& neighbour, Stream stream, Frame frame) {
  size_t in_ring = 0;
  TWINKLE_RETURN_IF_ERROR(neighbour.link().Send(stream, std::move(frame), SwitchFrame(), &in_ring));
  if (in_ring == 0) return absl::OkStatus();
  frames_in_rings_.fetch_add(1, std::memory_order_relaxed);
  options_.traffic->rings.sent.fetch_add(in_ring, std::memory_order_relaxed);
  return absl::OkStatus();
}

void NearTransport::SendWord(ProcessId to, NearWord word) {
  Neighbour& neighbour = NeighbourOf(to);
  if (!neighbour.is_over()) SendFrame(neighbour, Stream::kControl, BareFrame(std::move(word))).IgnoreError();
}

// ---- receiving
void NearTransport::OnFrame(ProcessId from, Stream stream, Frame frame) {
  if (from == options_.self) return receiver_->OnFrame(from, stream, std::move(frame));
  Receive(from, stream, std::move(frame));
}

void NearTransport::OnRingFrames(ProcessId from, Stream stream, std::vector<Frame> frames) {
  for (const Frame& frame : frames) {
    options_.traffic->rings.received.fetch_add(frame.bytes(), std::memory_order_relaxed);
  }
  queue_->Post([this, open = open_, from, stream, frames = std::move(frames)]() mutable {
    for (Frame& frame : frames) {
      if (*open) Receive(from, stream, std::move(frame));
    }
  });
}

void NearTransport::Receive(ProcessId from, Stream stream, Frame frame) {
  if (NeighbourOf(from).state() == Neighbour::State::kLost) return;
  const absl::StatusOr<std::optional<NearWord>> word = TakeWord(&frame.head);
  absl::Status understood = word.status();
  if (understood.ok() && word->has_value()) understood = ReceiveWord(from, stream, **word, &frame);
  if (!understood.ok()) return LoseUnread(from, understood);
  if (word->has_value() && (*word)->bare) return;
  receiver_->OnFrame(from, stream, std::move(frame));
}

// A word says one thing, or what Releases tells at once. Of a word that says more, each part comes after what it needs.
absl::Status NearTransport::ReceiveWord(ProcessId from, Stream stream, const NearWord& word, Frame* frame) {
  Neighbour& neighbour = NeighbourOf(from);
  if (word.hello) ReceiveHello(from, neighbour, *word.hello);  // maps the memory and the rings that others are about
  if (word.answer) {                                           // without it the peer has no leases to release
    if (word.answer->readable) releases_->AddReader(from);     // before anything is shared with the peer
    neighbour.OnAnswer(*word.answer);
  }
  if (!word.released.empty()) buffers_.Release(from, word.released);
  if (!word.unmapped.empty()) {  // before `shared`, whose places are in the memory that was there when it was sent
    const auto memory = neighbour.memory();
    for (const UnmappedChunk& gone : word.unmapped) {
      if (memory != nullptr) memory->Forget(gone);
    }
  }
  if (word.switched) {  // before `shared`: where it makes no sense nothing is mapped any more
    TWINKLE_RETURN_IF_ERROR(neighbour.OnSwitched(stream));
    rings_.Wake(neighbour.link());  // what is in the ring comes to the queue behind this frame
  }
  return Resolve(from, neighbour, word, frame);
}

void NearTransport::ReceiveHello(ProcessId from, Neighbour& neighbour, const Hello& hello) {
  NearWord answer;
  answer.answer = neighbour.OnHello(hello, rings_, &buffers_);
  SendBelow(from, std::move(answer));
  if (neighbour.state() == Neighbour::State::kStranger) Greet(from, neighbour);
}

absl::Status NearTransport::Resolve(ProcessId from, const Neighbour& neighbour, const NearWord& word, Frame* frame) {
  if (word.shared.empty()) return absl::OkStatus();
  const std::shared_ptr<const PeerMemory> memory = neighbour.memory();
  if (memory == nullptr) return absl::InvalidArgumentError("places in memory that were not to be sent");
  NearWord back;
  TWINKLE_RETURN_IF_ERROR(buffers_.Resolve(from, *memory, word.shared, frame, &back.released));
  if (!back.released.empty()) SendWord(from, std::move(back));
  return absl::OkStatus();
}

// ---- ends
// Loses a peer because what it has sent cannot be read; nor could anything that follows.
void NearTransport::LoseUnread(ProcessId peer, const absl::Status& why) {
  base::Log(base::LogLevel::kError, absl::StrCat("what process ", peer, " sends cannot be read: ", why.message()));
  Lose(peer, absl::UnavailableError(absl::StrCat("what it sends cannot be read: ", why.message())));
}

void NearTransport::Lose(ProcessId peer, const absl::Status& why) {
  if (peer != options_.self) NeighbourOf(peer).Lose(why);
  below_->Lose(peer, why);
}

void NearTransport::OnLost(ProcessId peer, const absl::Status& why) {
  Neighbour& neighbour = NeighbourOf(peer);
  neighbour.OnLost(why);
  if (!rings_.there()) return EndPeer(peer);
  rings_.Drain(peer, &neighbour.link());
}

void NearTransport::OnDrained(ProcessId peer) {
  queue_->Post([this, open = open_, peer] {
    if (*open) EndPeer(peer);
  });
}

void NearTransport::EndPeer(ProcessId peer) {
  Neighbour& neighbour = NeighbourOf(peer);
  releases_->RemoveReader(peer);
  buffers_.PeerLost(peer, neighbour.LetGo());
  receiver_->OnLost(peer, neighbour.why());
}

}  // namespace twinkle::rpc

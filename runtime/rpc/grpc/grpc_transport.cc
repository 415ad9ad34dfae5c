#include "runtime/rpc/grpc/grpc_transport.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <cstring>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/base/threads.h"
#include "runtime/rpc/address.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/grpc/grpc_transport_impl.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/secret.h"

namespace twinkle::rpc {
namespace {

// The delay of an acknowledgement that nothing else carries. Every frame that is sent back acknowledges, and many
// frames are acknowledged at once. The rest costs its sender some memory until then.
constexpr absl::Duration kAcknowledgeAfter = absl::Seconds(1);

constexpr Stream kStreams[] = {Stream::kData, Stream::kControl};

// A new identity, which tells this process from all others that ever had its id; not 0.
uint64_t NewLife() {
  uint64_t life = 0;
  std::memcpy(&life, NewSecret().data(), sizeof(life));
  return life | 1;
}

const char* MethodOf(Stream stream) { return stream == Stream::kData ? kDataMethod : kControlMethod; }

}  // namespace

// ---- life
GrpcTransport::Impl::Impl(GrpcOptions options) : options_(std::move(options)), life_(NewLife()) {}

absl::Status GrpcTransport::Impl::Listen() {
  KeepGrpc();
  absl::StatusOr<std::unique_ptr<Listener>> listener =
      Listener::Open({.socket = options_.socket, .host = options_.host, .keep_alive = options_.keep_alive});
  if (!listener.ok()) return absl::UnavailableError(absl::StrCat("cannot listen: ", listener.status().message()));
  listener_ = *std::move(listener);
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kLongestMessage);
  SetKeepAlive(builder, options_.keep_alive);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytes);
  listener_->Attach(builder);
  builder.RegisterAsyncGenericService(&service_);
  completions_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::InternalError("the server does not start");
  absl::Status started = StartThreads();
  if (!started.ok()) Close();
  return started;
}

absl::Status GrpcTransport::Impl::StartThreads() {
  TWINKLE_ASSIGN_OR_RETURN(poller_, base::StartThread("twinkle.grpc", [this] { Poll(); }));
  return listener_->Start();
}

void GrpcTransport::Impl::SetEvents(Introducer introducer, OnCut on_cut) {
  introducer_ = std::move(introducer);
  on_cut_ = std::move(on_cut);
}

void GrpcTransport::Impl::Start(Receiver* receiver, base::TaskQueue* queue) {
  receiver_ = receiver;
  queue_ = queue;
  base::MutexLock lock(&mutex_);
  Accept();
}

void GrpcTransport::Impl::Poll() {
  void* tag = nullptr;
  bool ok = false;
  while (completions_->Next(&tag, &ok)) static_cast<CompletionTag*>(tag)->Run(ok);
}

void GrpcTransport::Impl::Close() {
  if (!CancelLinks()) return;
  listener_->Close();
  server_->Shutdown(DeadlineIn(absl::ZeroDuration()));  // ends the wait for the next call
  AwaitNoneLive();
  completions_->Shutdown();  // by GT3 nothing is begun on it any more
  if (poller_.joinable()) poller_.join();
  // The thread has emptied the queue. Where none could be started that is done here, for gRPC wants it empty.
  void* tag = nullptr;
  bool ok = false;
  while (completions_->Next(&tag, &ok)) {
  }
}

bool GrpcTransport::Impl::CancelLinks() {
  std::vector<Conversation::LinkPtr> links;
  {
    base::MutexLock lock(&mutex_);
    if (std::exchange(closed_, true)) return false;
    *open_ = false;
    for (auto& [id, peer] : peers_) {
      for (auto& link : peer.talk.links()) links.push_back(std::move(link));
    }
  }
  for (const auto& link : links) link->Cancel();
  return true;
}

void GrpcTransport::Impl::AwaitNoneLive() {
  absl::node_hash_map<ProcessId, GrpcPeer> peers;  // destroyed without the lock: its frames may own a user's values
  base::MutexLock lock(&mutex_);
  while (live_ > 0) none_live_.Wait(&mutex_);
  peers.swap(peers_);  // only now: until a link is gone its events look for its peer
}

// ---- peers
void GrpcTransport::Impl::Introduce(ProcessId id, Introduction introduction) {
  base::MutexLock lock(&mutex_);
  GrpcPeer& peer = PeerOf(id);
  peer.Introduce(std::move(introduction));
  if (closed_ || peer.lost() || peer.broken() || !peer.known()) return;
  if (peer.talk.has_unsaid(Stream::kData) || peer.talk.has_unsaid(Stream::kControl)) DialBoth(id, peer);
}

void GrpcTransport::Impl::SetReport(std::function<std::string()> report) {
  base::MutexLock lock(&mutex_);
  report_ = std::move(report);
}

absl::Status GrpcTransport::Impl::Send(ProcessId to, Stream stream, Frame frame) {
  if (to == options_.self) return SendToSelf(stream, std::move(frame));
  {
    base::MutexLock lock(&mutex_);
    if (closed_) return absl::CancelledError("this process has left its job");
    GrpcPeer& peer = PeerOf(to);
    if (peer.lost()) return absl::UnavailableError(peer.why.message());
    peer.talk.Say(stream, std::move(frame));
    if (peer.broken()) return absl::OkStatus();  // Mend makes the connection again
    if (peer.talk.carried(stream)) return absl::OkStatus();
    if (peer.known()) {
      DialBoth(to, peer);
      return absl::OkStatus();
    }
    queue_->PostAfter(options_.introduction_limit, [weak = weak_from_this(), to] {
      if (const auto self = weak.lock()) self->LoseUnlessIntroduced(to);
    });
    if (introducer_ == nullptr || !peer.Ask()) return absl::OkStatus();
  }
  AskFor(to);
  return absl::OkStatus();
}

void GrpcTransport::Impl::AskFor(ProcessId id) {
  introducer_(id, [weak = weak_from_this(), id](absl::StatusOr<Introduction> answer) {
    const auto self = weak.lock();
    if (self == nullptr) return;
    if (answer.ok()) return self->Introduce(id, *std::move(answer));
    // A process of this job may still be introduced, and its end will be told. So it is not lost because nobody
    // answered.
    const bool no_verdict = absl::IsUnavailable(answer.status()) || absl::IsDeadlineExceeded(answer.status());
    if (!no_verdict || base::JobOf(id) != base::JobOf(self->options_.self)) {
      self->Lose(id, answer.status());
      return;
    }
    base::MutexLock lock(&self->mutex_);
    self->PeerOf(id).AskedInVain();
  });
}

absl::Status GrpcTransport::Impl::SendToSelf(Stream stream, Frame frame) {
  std::vector<Frame> frames;
  frames.push_back(std::move(frame));
  {
    base::MutexLock lock(&mutex_);
    if (closed_) return absl::CancelledError("this process has left its job");
  }
  Deliver(options_.self, stream, std::move(frames), open_);
  return absl::OkStatus();
}

void GrpcTransport::Impl::DialBoth(ProcessId id, GrpcPeer& peer) {
  for (const Stream stream : kStreams) {
    if (!peer.talk.carried(stream)) Dial(id, peer, stream);
  }
}

void GrpcTransport::Impl::Dial(ProcessId id, GrpcPeer& peer, Stream stream) {
  if (!peer.talk.has_links()) peer.channel = nullptr;  // a new channel connects at once
  const auto& [target, ticket] = peer.introduction();
  if (peer.channel == nullptr) {
    peer.channel = NewChannel(target, {.keep_alive = options_.keep_alive, .longest_message = kLongestMessage});
  }
  ++live_;
  const LinkPtr link = GrpcLink::Dial(peer.channel, MethodOf(stream),
                                      {{kProtocolKey, absl::StrCat(options_.protocol)},
                                       {kSecretKey, ticket.empty() ? options_.secret : ticket},
                                       {kProcessKey, absl::StrCat(options_.self)},
                                       {kToKey, absl::StrCat(id)},
                                       {kLifeKey, absl::StrCat(life_)},
                                       {kKnownLifeKey, absl::StrCat(peer.life)},
                                       {kHeardKey, absl::StrCat(peer.talk.heard(stream))}},
                                      completions_.get(), WireOf(peer, stream, !absl::StartsWith(target, "unix")),
                                      EventsFor(id, stream));
  peer.talk.Add(stream, link, /*works=*/false, peer.broken());
}

GrpcLink::Events GrpcTransport::Impl::EventsFor(ProcessId id, Stream stream) {
  const auto self = shared_from_this();
  GrpcLink::Events events;
  events.on_message = [self, id, stream](const LinkPtr& link, ReceivedMessage message) {
    self->OnMessage(id, stream, link, std::move(message));
  };
  events.on_gone = [self, id](const LinkPtr& link, const absl::Status& status) {
    self->OnGone(id, link, status);
    self->LinkGone();
  };
  events.on_room = [self, id, stream](const LinkPtr& link) { self->OnRoom(id, stream, link); };
  return events;
}

void GrpcTransport::Impl::OnMessage(ProcessId id, Stream stream, const LinkPtr& link, ReceivedMessage message) {
  std::vector<Frame> freed;  // destroyed without the lock, for they may be the last owners of a user's value
  std::shared_ptr<std::atomic<bool>> peer_open;
  absl::Status understood;
  {
    base::MutexLock lock(&mutex_);
    GrpcPeer& peer = PeerOf(id);
    if (closed_ || peer.lost()) return;
    peer_open = peer.open;
    understood = TakeMessage(id, stream, link, &message, &freed);
    if (understood.ok() && !message.frames.empty() && peer.talk.AcknowledgeSoon(stream)) Owe(id, stream);
  }
  if (!understood.ok()) {
    Lose(id, absl::UnavailableError(absl::StrCat("what it says makes no sense: ", understood.message())));
    return;
  }
  if (!message.frames.empty()) Deliver(id, stream, std::move(message.frames), std::move(peer_open));
}

absl::Status GrpcTransport::Impl::TakeMessage(ProcessId id, Stream stream, const LinkPtr& link,
                                              ReceivedMessage* message, std::vector<Frame>* freed) {
  GrpcPeer& peer = PeerOf(id);
  if (message->life && peer.life != 0 && *message->life != peer.life) {
    return absl::InvalidArgumentError("another process answers in its place");
  }
  peer.life = message->life.value_or(peer.life);
  if (message->acknowledged) TWINKLE_RETURN_IF_ERROR(peer.talk.OnAcknowledged(stream, *message->acknowledged, freed));
  peer.talk.Works(stream, link);
  OpenIfComplete(peer, *link);
  return message->frames.empty() ? absl::OkStatus() : peer.talk.Hear(stream, message->first, &message->frames);
}

void GrpcTransport::Impl::OpenIfComplete(GrpcPeer& peer, const GrpcLink& link) {
  if (!peer.talk.complete()) return;
  if (peer.broken() || peer.address.empty()) peer.address = link.Address();
  peer.To(GrpcPeer::State::kOpen);
}

void GrpcTransport::Impl::OnRoom(ProcessId id, Stream stream, const LinkPtr& link) {
  base::MutexLock lock(&mutex_);
  if (!closed_) PeerOf(id).talk.OnRoom(stream, link);
}

void GrpcTransport::Impl::Owe(ProcessId id, Stream stream) {
  owed_.emplace_back(id, stream);
  if (owed_.size() > 1) return;
  queue_->PostAfter(kAcknowledgeAfter, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->AcknowledgeOwed();
  });
}

void GrpcTransport::Impl::AcknowledgeOwed() {
  base::MutexLock lock(&mutex_);
  if (closed_) return;
  for (const auto& [id, stream] : std::exchange(owed_, {})) PeerOf(id).talk.Acknowledge(stream);
}

// Posts frames to the receiver. The lock must not be held: the queue may run the task at once, and that may send.
void GrpcTransport::Impl::Deliver(ProcessId id, Stream stream, std::vector<Frame> frames,
                                  std::shared_ptr<std::atomic<bool>> peer_open) {
  queue_->Post([receiver = receiver_, open = open_, peer_open = std::move(peer_open), id, stream,
                frames = std::move(frames)]() mutable {
    for (Frame& frame : frames) {
      if (*open && *peer_open) receiver->OnFrame(id, stream, std::move(frame));
    }
  });
}

// ---- GrpcTransport
absl::StatusOr<std::unique_ptr<GrpcTransport>> GrpcTransport::Listen(GrpcOptions options) {
  auto impl = std::make_shared<Impl>(std::move(options));
  if (absl::Status listens = impl->Listen(); !listens.ok()) return listens;
  return std::unique_ptr<GrpcTransport>(new GrpcTransport(std::move(impl)));
}

GrpcTransport::~GrpcTransport() { impl_->Close(); }
const std::string& GrpcTransport::socket() const { return impl_->socket(); }
int GrpcTransport::port() const { return impl_->port(); }
const std::shared_ptr<Traffic>& GrpcTransport::traffic() const { return impl_->traffic(); }
void GrpcTransport::SetEvents(Introducer introducer, OnCut on_cut) {
  impl_->SetEvents(std::move(introducer), std::move(on_cut));
}
void GrpcTransport::Start(Receiver* receiver, base::TaskQueue* queue) { impl_->Start(receiver, queue); }
void GrpcTransport::Introduce(ProcessId peer, Introduction introduction) {
  impl_->Introduce(peer, std::move(introduction));
}
void GrpcTransport::SetReport(std::function<std::string()> report) { impl_->SetReport(std::move(report)); }
void GrpcTransport::Lose(ProcessId peer, const absl::Status& why) { impl_->Lose(peer, why); }
absl::Status GrpcTransport::Send(ProcessId to, Stream stream, Frame frame) {
  return impl_->Send(to, stream, std::move(frame));
}
void GrpcTransport::Close() { impl_->Close(); }

}  // namespace twinkle::rpc

#include "runtime/rpc/grpc_transport.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/base/log.h"
#include "runtime/base/mutex.h"
#include "runtime/rpc/address.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/grpc_link.h"
#include "runtime/rpc/secret.h"

namespace twinkle::rpc {
namespace {

constexpr char kDataMethod[] = "/twinkle.v1.Peer/Data";
constexpr char kControlMethod[] = "/twinkle.v1.Peer/Control";
constexpr char kReportMethod[] = "/twinkle.v1.ProcessReports/Report";

const char* MethodOf(Stream stream) { return stream == Stream::kData ? kDataMethod : kControlMethod; }

}  // namespace

// Invariants:
//  G1 what is sent to a peer on one stream goes to one link, the first there was;
//  G2 a peer that is lost stays lost: its links are cancelled, new ones refused;
//  G3 each link and the waiting for the next call count in `live_`, and the completion queue is shut down at 0.
class GrpcTransport::Impl : public std::enable_shared_from_this<GrpcTransport::Impl> {
 public:
  explicit Impl(GrpcOptions options) : options_(std::move(options)) {}

  absl::Status Listen();
  const std::string& socket() const { return options_.socket; }
  int port() const { return port_; }
  const std::shared_ptr<Traffic>& traffic() const { return options_.traffic; }
  void Start(Receiver* receiver, base::TaskQueue* queue, Introducer introducer);
  void Introduce(ProcessId id, Introduction introduction);
  void SetReport(std::function<std::string()> report);
  void Lose(ProcessId id, const absl::Status& why);
  absl::Status Send(ProcessId to, Stream stream, Frame frame);
  void Close();

 private:
  using LinkPtr = std::shared_ptr<GrpcLink>;
  struct Question;
  struct Peer {
    Introduction introduction;  // without a target: not introduced
    bool asked = false;         // the introducer
    std::shared_ptr<grpc::Channel> channel;
    std::array<LinkPtr, 2> out;  // by stream
    std::vector<LinkPtr> links;  // all there are
    std::array<std::deque<Frame>, 2> waiting;
    bool doubted = false;  // a connection broke: the verdict is awaited
    bool lost = false;
    absl::Status why;
    std::shared_ptr<std::atomic<bool>> open = std::make_shared<std::atomic<bool>>(true);
  };

  void Poll();
  void Accept() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnCall(std::unique_ptr<GrpcLink::Accepting> call);
  absl::Status Check(const GrpcLink::Accepting& call, ProcessId* from, Stream* stream);
  GrpcLink::Wire WireTo(bool remote) const { return {options_.traffic, remote, options_.compression}; }
  bool OnReport(std::unique_ptr<GrpcLink::Accepting>& call);
  GrpcLink::Events EventsFor(ProcessId id, Stream stream, const std::shared_ptr<LinkPtr>& holder);
  void DialBoth(ProcessId id, Peer& peer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Dial(ProcessId id, Peer& peer, Stream stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SendToSelf(Stream stream, Frame frame);
  bool Deliver(ProcessId id, Stream stream, std::vector<Frame> frames);
  void OnGone(ProcessId id, const LinkPtr& link, const absl::Status& status);
  void LoseLater(ProcessId id, absl::Duration delay, absl::Status why);
  void LinkGone();
  void AskFor(ProcessId id);

  const GrpcOptions options_;
  int port_ = 0;
  Receiver* receiver_ = nullptr;
  base::TaskQueue* queue_ = nullptr;
  Introducer introducer_;
  const std::shared_ptr<std::atomic<bool>> open_ = std::make_shared<std::atomic<bool>>(true);

  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> completions_;
  std::unique_ptr<grpc::Server> server_;
  std::thread poller_;

  base::Mutex mutex_;
  base::CondVar none_live_;
  absl::flat_hash_map<ProcessId, Peer> peers_ ABSL_GUARDED_BY(mutex_);
  int live_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<std::string()> report_ ABSL_GUARDED_BY(mutex_);
};

// ---- life
absl::Status GrpcTransport::Impl::Listen() {
  KeepGrpc();
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytes);
  if (!options_.socket.empty()) builder.AddListeningPort(options_.socket, grpc::InsecureServerCredentials());
  if (!options_.host.empty()) {
    builder.AddListeningPort(JoinHostPort(options_.host, 0), grpc::InsecureServerCredentials(), &port_);
  }
  builder.RegisterAsyncGenericService(&service_);
  completions_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
  if (server_ != nullptr && (options_.host.empty() || port_ != 0)) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot listen on ", options_.socket, options_.socket.empty() ? "" : " ",
                                             options_.host.empty() ? "" : "a port of ", options_.host));
}

void GrpcTransport::Impl::Start(Receiver* receiver, base::TaskQueue* queue, Introducer introducer) {
  receiver_ = receiver;
  queue_ = queue;
  introducer_ = std::move(introducer);
  poller_ = std::thread([this] { Poll(); });
  base::MutexLock lock(&mutex_);
  Accept();
}

void GrpcTransport::Impl::Poll() {
  pthread_setname_np(pthread_self(), "twinkle.grpc");
  void* tag = nullptr;
  bool ok = false;
  while (completions_->Next(&tag, &ok)) static_cast<CompletionTag*>(tag)->Run(ok);
}

void GrpcTransport::Impl::Close() {
  std::vector<LinkPtr> links;
  {
    base::MutexLock lock(&mutex_);
    if (std::exchange(closed_, true)) return;
    *open_ = false;
    for (auto& [id, peer] : peers_) {
      links.insert(links.end(), peer.links.begin(), peer.links.end());
      peer.waiting = {};
    }
  }
  for (const LinkPtr& link : links) link->Cancel();
  server_->Shutdown(DeadlineIn(absl::ZeroDuration()));
  {
    base::MutexLock lock(&mutex_);
    while (live_ > 0) none_live_.Wait(&mutex_);
    peers_.clear();
  }
  completions_->Shutdown();
  if (poller_.joinable()) poller_.join();
  void* tag = nullptr;
  bool ok = false;
  while (completions_->Next(&tag, &ok)) {
  }
}

// ---- peers
void GrpcTransport::Impl::Introduce(ProcessId id, Introduction introduction) {
  base::MutexLock lock(&mutex_);
  Peer& peer = peers_[id];
  peer.introduction = std::move(introduction);
  if (closed_ || peer.lost || peer.introduction.target.empty()) return;  // it does not listen yet
  for (const Stream stream : {Stream::kData, Stream::kControl}) {
    auto& waiting = peer.waiting[static_cast<size_t>(stream)];
    if (waiting.empty()) continue;
    LinkPtr& link = peer.out[static_cast<size_t>(stream)];
    if (link == nullptr) DialBoth(id, peer);
    for (const Frame& frame : std::exchange(waiting, {})) link->Write(frame);
  }
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
    Peer& peer = peers_[to];
    if (peer.lost) return absl::UnavailableError(peer.why.message());
    if (peer.doubted) return absl::OkStatus();
    LinkPtr& link = peer.out[static_cast<size_t>(stream)];
    if (link != nullptr || !peer.introduction.target.empty()) {
      if (link == nullptr) DialBoth(to, peer);
      link->Write(frame);
      return absl::OkStatus();
    }
    peer.waiting[static_cast<size_t>(stream)].push_back(std::move(frame));
    LoseLater(to, options_.introduction_limit, absl::OkStatus());
    if (introducer_ == nullptr || std::exchange(peer.asked, true)) return absl::OkStatus();
  }
  AskFor(to);
  return absl::OkStatus();
}

void GrpcTransport::Impl::AskFor(ProcessId id) {
  introducer_(id, [weak = weak_from_this(), id](absl::StatusOr<Introduction> answer) {
    const auto self = weak.lock();
    if (self == nullptr) return;
    if (answer.ok()) return self->Introduce(id, *std::move(answer));
    // A process of the own job may still be introduced, and its end is told: what counts is not that nobody answered.
    const bool no_verdict = absl::IsUnavailable(answer.status()) || absl::IsDeadlineExceeded(answer.status());
    if (!no_verdict || id >> kProcessBits != self->options_.self >> kProcessBits)
      return self->Lose(id, answer.status());
    base::MutexLock lock(&self->mutex_);
    self->peers_[id].asked = false;
  });
}

absl::Status GrpcTransport::Impl::SendToSelf(Stream stream, Frame frame) {
  std::vector<Frame> frames;
  frames.push_back(std::move(frame));
  return Deliver(options_.self, stream, std::move(frames)) ? absl::OkStatus()
                                                           : absl::CancelledError("this process has left its job");
}

// The peer may want to answer on either, and may not know where this process is.
void GrpcTransport::Impl::DialBoth(ProcessId id, Peer& peer) {
  for (const Stream stream : {Stream::kData, Stream::kControl}) {
    if (peer.out[static_cast<size_t>(stream)] == nullptr) Dial(id, peer, stream);
  }
}

void GrpcTransport::Impl::Dial(ProcessId id, Peer& peer, Stream stream) {
  if (peer.channel == nullptr) peer.channel = NewChannel(peer.introduction.target);
  const std::string& ticket = peer.introduction.ticket;
  ++live_;
  const auto holder = std::make_shared<LinkPtr>();
  const LinkPtr link = GrpcLink::Dial(
      peer.channel, MethodOf(stream),
      {{kSecretKey, ticket.empty() ? options_.secret : ticket}, {kProcessKey, absl::StrCat(options_.self)}},
      completions_.get(), WireTo(!absl::StartsWith(peer.introduction.target, "unix")), EventsFor(id, stream, holder));
  *holder = link;  // until it is gone
  peer.links.push_back(link);
  peer.out[static_cast<size_t>(stream)] = link;
}

GrpcLink::Events GrpcTransport::Impl::EventsFor(ProcessId id, Stream stream, const std::shared_ptr<LinkPtr>& holder) {
  return {[self = shared_from_this(), id, stream](std::vector<Frame> frames) {
            self->Deliver(id, stream, std::move(frames));
          },
          [self = shared_from_this(), id, holder](const absl::Status& status) {
            const LinkPtr link = std::move(*holder);
            self->OnGone(id, link, status);
            self->LinkGone();
          }};
}

// Posts outside the lock: the queue may run the task at once, and that may send.
bool GrpcTransport::Impl::Deliver(ProcessId id, Stream stream, std::vector<Frame> frames) {
  std::shared_ptr<std::atomic<bool>> peer_open;
  {
    base::MutexLock lock(&mutex_);
    const Peer& peer = peers_[id];
    if (closed_ || peer.lost) return false;
    peer_open = peer.open;
  }
  return queue_->Post(
      [receiver = receiver_, open = open_, peer_open, id, stream, frames = std::move(frames)]() mutable {
        for (Frame& frame : frames) {
          if (*open && *peer_open) receiver->OnFrame(id, stream, std::move(frame));
        }
      });
}

// ---- calls that come in
void GrpcTransport::Impl::Accept() {
  ++live_;
  GrpcLink::Accepting::Wait(&service_, completions_.get(), [self = shared_from_this()](auto call) {
    if (call != nullptr) {
      self->OnCall(std::move(call));
      base::MutexLock lock(&self->mutex_);
      if (!self->closed_) self->Accept();
    }
    self->LinkGone();
  });
}

absl::Status GrpcTransport::Impl::Check(const GrpcLink::Accepting& call, ProcessId* from, Stream* stream) {
  if (!absl::SimpleAtoi(call.Metadata(kProcessKey), from) || *from == options_.self) {
    return absl::InvalidArgumentError("the caller does not say which process it is");
  }
  const std::string shown = call.Metadata(kSecretKey);
  if (!SecretsEqual(shown, options_.secret) &&
      !SecretsEqual(shown, TicketFor(options_.secret, *from >> kProcessBits))) {
    return absl::UnauthenticatedError("the caller does not know this job's secret");
  }
  const std::string method = call.method();
  if (method != kDataMethod && method != kControlMethod) {
    return absl::UnimplementedError(absl::StrCat("there is no method ", method));
  }
  *stream = method == kDataMethod ? Stream::kData : Stream::kControl;
  return absl::OkStatus();
}

// A call that a task on the queue is to answer; refused if that task never runs.
struct GrpcTransport::Impl::Question {
  std::shared_ptr<Impl> self;
  std::unique_ptr<GrpcLink::Accepting> call;

  Question(std::shared_ptr<Impl> transport, std::unique_ptr<GrpcLink::Accepting> asked)
      : self(std::move(transport)), call(std::move(asked)) {}
  Question(Question&&) = default;
  ~Question() {
    if (call == nullptr) return;
    GrpcLink::Accepting::Refuse(std::move(call), absl::UnavailableError("the process has ended"), Gone());
  }
  void Answer(const std::string& message) { GrpcLink::Accepting::Reply(std::move(call), message, Gone()); }
  std::function<void()> Gone() {
    return [transport = self] { transport->LinkGone(); };
  }
};

// Whether it was a command's, which is answered.
bool GrpcTransport::Impl::OnReport(std::unique_ptr<GrpcLink::Accepting>& call) {
  if (call->method() != kReportMethod) return false;
  std::function<std::string()> report;
  absl::Status refused;
  {
    base::MutexLock lock(&mutex_);
    ++live_;
    report = report_;
    if (closed_ || report == nullptr) refused = absl::UnavailableError("the process is about to begin, or has ended");
  }
  if (!SecretsEqual(call->Metadata(kSecretKey), CommandTicket(options_.secret))) {
    refused = absl::UnauthenticatedError("the caller has no ticket of this job");
  }
  if (!refused.ok()) {
    GrpcLink::Accepting::Refuse(std::move(call), refused, [self = shared_from_this()] { self->LinkGone(); });
    return true;
  }
  queue_->Post(
      [question = Question(shared_from_this(), std::move(call)), report]() mutable { question.Answer(report()); });
  return true;
}

void GrpcTransport::Impl::OnCall(std::unique_ptr<GrpcLink::Accepting> call) {
  if (OnReport(call)) return;
  const bool remote = call->remote();
  ProcessId from = 0;
  Stream stream = Stream::kData;
  absl::Status refused = Check(*call, &from, &stream);
  base::MutexLock lock(&mutex_);
  if (refused.ok() && closed_) refused = absl::UnavailableError("the process has ended");
  if (refused.ok() && peers_[from].lost) refused = absl::UnavailableError("this process counts as lost");
  ++live_;
  if (!refused.ok()) {
    return GrpcLink::Accepting::Refuse(std::move(call), refused, [self = shared_from_this()] { self->LinkGone(); });
  }
  const auto holder = std::make_shared<LinkPtr>();
  const LinkPtr link = GrpcLink::Accepting::Begin(std::move(call), WireTo(remote), EventsFor(from, stream, holder));
  *holder = link;
  Peer& peer = peers_[from];
  peer.links.push_back(link);
  LinkPtr& out = peer.out[static_cast<size_t>(stream)];
  if (out != nullptr) return;
  out = link;
  for (const Frame& frame : std::exchange(peer.waiting[static_cast<size_t>(stream)], {})) link->Write(frame);
}

// ---- ends
void GrpcTransport::Impl::LinkGone() {
  base::MutexLock lock(&mutex_);
  if (--live_ == 0) none_live_.SignalAll();
}

void GrpcTransport::Impl::OnGone(ProcessId id, const LinkPtr& link, const absl::Status& status) {
  base::MutexLock lock(&mutex_);
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  peer.links.erase(std::remove(peer.links.begin(), peer.links.end(), link), peer.links.end());
  if (closed_ || peer.lost || peer.doubted) return;
  peer.doubted = true;
  LoseLater(id, absl::IsUnauthenticated(status) ? absl::ZeroDuration() : options_.verdict_limit,
            absl::UnavailableError(absl::StrCat("the connection to it broke: ", status.message())));
}

// With OK: only if it has not been introduced by then.
void GrpcTransport::Impl::LoseLater(ProcessId id, absl::Duration delay, absl::Status why) {
  queue_->PostAfter(delay, [weak = weak_from_this(), id, why = std::move(why)]() mutable {
    const auto self = weak.lock();
    if (self == nullptr) return;
    if (why.ok()) {
      base::MutexLock lock(&self->mutex_);
      const Peer& peer = self->peers_[id];
      if (!peer.introduction.target.empty() || !peer.links.empty()) return;
      why = absl::UnavailableError(absl::StrCat("nobody has said where process ", id, " is"));
    }
    self->Lose(id, why);
  });
}

void GrpcTransport::Impl::Lose(ProcessId id, const absl::Status& why) {
  std::vector<LinkPtr> links;
  {
    base::MutexLock lock(&mutex_);
    Peer& peer = peers_[id];
    if (closed_ || std::exchange(peer.lost, true)) return;
    peer.why = why;
    *peer.open = false;
    peer.waiting = {};
    peer.out = {};
    links = peer.links;
  }
  if (queue_ != nullptr) {
    queue_->Post([receiver = receiver_, open = open_, id, why] {
      if (*open) receiver->OnLost(id, why);
    });
  }
  for (const LinkPtr& link : links) link->Cancel();
}

// ---- the shell
absl::StatusOr<std::unique_ptr<GrpcTransport>> GrpcTransport::Listen(GrpcOptions options) {
  auto impl = std::make_shared<Impl>(std::move(options));
  if (absl::Status listens = impl->Listen(); !listens.ok()) return listens;
  return std::unique_ptr<GrpcTransport>(new GrpcTransport(std::move(impl)));
}

GrpcTransport::~GrpcTransport() { impl_->Close(); }
const std::string& GrpcTransport::socket() const { return impl_->socket(); }
int GrpcTransport::port() const { return impl_->port(); }
const std::shared_ptr<Traffic>& GrpcTransport::traffic() const { return impl_->traffic(); }
void GrpcTransport::Start(Receiver* receiver, base::TaskQueue* queue, Introducer introducer) {
  impl_->Start(receiver, queue, std::move(introducer));
}
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

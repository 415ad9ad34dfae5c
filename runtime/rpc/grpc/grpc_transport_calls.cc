// Calls that come in: streams of peers, which resume broken ones or begin anew, and calls of commands for the report.
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <utility>

#include "runtime/base/status.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/grpc/grpc_transport_impl.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/secret.h"

namespace twinkle::rpc {
namespace {

constexpr char kReportMethod[] = "/twinkle.v1.ProcessReports/Report";

}  // namespace

void GrpcTransport::Impl::Accept() {
  ++live_;
  AcceptedCall::Wait(&service_, completions_.get(), [self = shared_from_this()](auto call) {
    if (call != nullptr) {
      self->OnCall(std::move(call));
      base::MutexLock lock(&self->mutex_);
      if (!self->closed_) self->Accept();
    }
    self->LinkGone();
  });
}

absl::Status GrpcTransport::Impl::Check(const AcceptedCall& call, ProcessId* from, Stream* stream) {
  TWINKLE_RETURN_IF_ERROR(CheckProtocol("this process", "who calls it", call.Metadata(kProtocolKey)));
  if (!absl::SimpleAtoi(call.Metadata(kProcessKey), from) || *from == options_.self) {
    return absl::InvalidArgumentError("the caller does not say which process it is");
  }
  const std::string shown = call.Metadata(kSecretKey);
  if (!SecretsEqual(shown, options_.secret) && !SecretsEqual(shown, TicketFor(options_.secret, base::JobOf(*from)))) {
    return absl::UnauthenticatedError("the caller does not know this job's secret");
  }
  const std::string method = call.method();
  if (method != kDataMethod && method != kControlMethod) {
    return absl::UnimplementedError(absl::StrCat("there is no method ", method));
  }
  *stream = method == kDataMethod ? Stream::kData : Stream::kControl;
  return absl::OkStatus();
}

// A command's call that a task on the queue must answer. The destructor refuses it if that task never runs.
struct GrpcTransport::Impl::Question {
  std::shared_ptr<Impl> self;
  std::unique_ptr<AcceptedCall> call;

  Question(std::shared_ptr<Impl> transport, std::unique_ptr<AcceptedCall> asked)
      : self(std::move(transport)), call(std::move(asked)) {}
  Question(Question&&) = default;
  ~Question() {
    if (call == nullptr) return;
    AcceptedCall::Refuse(std::move(call), absl::UnavailableError("the process has ended"), Gone());
  }
  void Answer(const std::string& message) { AcceptedCall::Reply(std::move(call), message, Gone()); }
  std::function<void()> Gone() {
    return [transport = self] { transport->LinkGone(); };
  }
};

bool GrpcTransport::Impl::OnReport(std::unique_ptr<AcceptedCall>& call) {
  if (call->method() != kReportMethod) return false;
  std::function<std::string()> report;
  absl::Status refused = CheckProtocol("this process", "who calls it", call->Metadata(kProtocolKey));
  {
    base::MutexLock lock(&mutex_);
    ++live_;
    report = report_;
    if (closed_ || report == nullptr) refused = absl::UnavailableError("the process is about to begin, or has ended");
  }
  if (refused.ok() && !SecretsEqual(call->Metadata(kSecretKey), CommandTicket(options_.secret))) {
    refused = absl::UnauthenticatedError("the caller has no ticket of this job");
  }
  if (!refused.ok()) {
    AcceptedCall::Refuse(std::move(call), refused, [self = shared_from_this()] { self->LinkGone(); });
    return true;
  }
  listener_->LetIn(call->peer());
  queue_->Post(
      [question = Question(shared_from_this(), std::move(call)), report]() mutable { question.Answer(report()); });
  return true;
}

absl::Status GrpcTransport::Impl::Meet(ProcessId from, const AcceptedCall& call, std::vector<Frame>* freed) {
  if (closed_) return absl::UnavailableError("the process has ended");
  GrpcPeer& peer = PeerOf(from);
  if (peer.lost()) return absl::AbortedError(absl::StrCat("this process counts as lost there: ", peer.why.message()));
  uint64_t to = 0, life = 0, known = 0, heard = 0;
  if (!absl::SimpleAtoi(call.Metadata(kToKey), &to) || !absl::SimpleAtoi(call.Metadata(kLifeKey), &life) ||
      !absl::SimpleAtoi(call.Metadata(kKnownLifeKey), &known) || !absl::SimpleAtoi(call.Metadata(kHeardKey), &heard)) {
    return absl::InvalidArgumentError("the caller does not say which connection it goes on with");
  }
  if (to != options_.self || (known != 0 && known != life_)) {
    return absl::AbortedError(absl::StrCat("another process, ", options_.self, ", is there now"));
  }
  if (peer.life != 0 && peer.life != life) return absl::AbortedError("another process has had this one's number");
  peer.life = life;
  const Stream stream = call.method() == kDataMethod ? Stream::kData : Stream::kControl;
  return peer.talk.OnAcknowledged(stream, heard, freed);
}

void GrpcTransport::Impl::OnCall(std::unique_ptr<AcceptedCall> call) {
  if (OnReport(call)) return;
  const bool remote = call->remote();
  ProcessId from = 0;
  Stream stream = Stream::kData;
  std::vector<Frame> freed;
  absl::Status refused = Check(*call, &from, &stream);
  if (refused.ok()) listener_->LetIn(call->peer());
  base::MutexLock lock(&mutex_);
  if (refused.ok()) refused = Meet(from, *call, &freed);
  ++live_;
  if (!refused.ok()) {
    return AcceptedCall::Refuse(std::move(call), refused, [self = shared_from_this()] { self->LinkGone(); });
  }
  GrpcPeer& peer = PeerOf(from);
  const LinkPtr link = AcceptedCall::Begin(std::move(call), WireOf(peer, stream, remote), EventsFor(from, stream));
  peer.talk.Add(stream, link, /*works=*/true, peer.broken());
  OpenIfComplete(peer, *link);
}

}  // namespace twinkle::rpc

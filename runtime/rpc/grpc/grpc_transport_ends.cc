// Broken connections, and lost peers.
#include <absl/strings/str_cat.h>

#include <utility>

#include "runtime/rpc/grpc/grpc_transport_impl.h"

namespace twinkle::rpc {
namespace {

// Whether the peer, or this side, has refused the connection, so that another attempt makes no sense.
bool IsFinal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

}  // namespace

void GrpcTransport::Impl::LinkGone() {
  base::MutexLock lock(&mutex_);
  if (--live_ == 0) none_live_.SignalAll();
}

void GrpcTransport::Impl::OnGone(ProcessId id, const LinkPtr& link, const absl::Status& status) {
  bool given_up = false;
  {
    base::MutexLock lock(&mutex_);
    const auto found = peers_.find(id);
    if (found == peers_.end()) return;
    GrpcPeer& peer = found->second;
    peer.talk.Remove(link);
    if (closed_ || peer.lost()) return;
    given_up = IsFinal(status);
    peer.why = status;
    if (!given_up && !peer.carried()) {
      peer.To(GrpcPeer::State::kBroken);
      MendLater(id, peer);
    }
  }
  // Only the peer is lost here, without on_cut: a peer that has lost this process has told others so already.
  if (given_up) Lose(id, absl::UnavailableError(absl::StrCat("the connection to it broke: ", status.message())));
}

void GrpcTransport::Impl::MendLater(ProcessId id, GrpcPeer& peer) {
  if (std::exchange(peer.mend_is_due, true)) return;
  queue_->PostAfter(peer.redial.Pause(), [weak = weak_from_this(), id] {
    if (const auto self = weak.lock()) self->Mend(id);
  });
}

absl::Status GrpcTransport::Impl::GivenUp(const GrpcPeer& peer, Redial::Action action) const {
  const std::string broke = absl::StrCat("the connection to it broke (", peer.why.message(), ")");
  if (action == Redial::Action::kLoseGone) {
    return absl::UnavailableError(absl::StrCat(broke, ", and nobody listens there any more"));
  }
  if (action == Redial::Action::kLoseSilent) {
    return absl::UnavailableError(absl::StrCat(broke, " and could not be made again: its machine has said nothing for ",
                                               absl::FormatDuration(options_.redial.silence)));
  }
  if (peer.talk.bytes_kept() <= options_.kept_bytes) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(broke, ", and ", peer.talk.bytes_kept(),
                                             " bytes were to be sent meanwhile: too many to wait for another"));
}

void GrpcTransport::Impl::Mend(ProcessId id) {
  absl::Status given_up;
  Redial::Action action{};
  bool ask = false;
  {
    base::MutexLock lock(&mutex_);
    GrpcPeer& peer = PeerOf(id);
    peer.mend_is_due = false;
    if (closed_) return;
    if (peer.talk.complete()) peer.To(GrpcPeer::State::kOpen);  // by another connection
    if (!peer.broken()) return;
    ask = introducer_ != nullptr && peer.Ask();
    if (!peer.probe && peer.known()) {
      peer.probe.emplace(NumericTarget(peer.introduction().target, peer.address), options_.keep_alive);
    }
    action = peer.redial.Decide(peer.probe ? peer.probe->Look() : Redial::Machine::kSilent, peer.carried());
    if (action == Redial::Action::kDial && peer.known()) DialBoth(id, peer);
    given_up = GivenUp(peer, action);
    if (given_up.ok()) MendLater(id, peer);
  }
  if (ask) AskFor(id);
  if (given_up.ok() || !Lose(id, given_up) || action == Redial::Action::kLoseGone) return;
  queue_->Post([open = open_, on_cut = on_cut_, id, given_up] {
    if (*open && on_cut) on_cut(id, given_up);
  });
}

void GrpcTransport::Impl::LoseUnlessIntroduced(ProcessId id) {
  {
    base::MutexLock lock(&mutex_);
    const GrpcPeer& peer = PeerOf(id);
    if (peer.known() || peer.talk.has_links()) return;
  }
  Lose(id, absl::UnavailableError(absl::StrCat("nobody has said where process ", id, " is")));
}

bool GrpcTransport::Impl::Lose(ProcessId id, const absl::Status& why) {
  Conversation last;  // destroyed without the lock
  std::shared_ptr<grpc::Channel> channel;
  {
    base::MutexLock lock(&mutex_);
    GrpcPeer& peer = PeerOf(id);
    if (closed_ || peer.lost()) return false;
    peer.why = why;
    peer.To(GrpcPeer::State::kLost);
    *peer.open = false;
    std::swap(last, peer.talk);
    std::swap(channel, peer.channel);
  }
  if (queue_ != nullptr) {
    queue_->Post([receiver = receiver_, open = open_, id, why] {
      if (*open) receiver->OnLost(id, why);
    });
  }
  for (const auto& link : last.links()) link->Cancel();
  return true;
}

}  // namespace twinkle::rpc

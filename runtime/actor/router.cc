#include "runtime/actor/router.h"

#include <utility>
#include <variant>

namespace twinkle::actor {

void Router::Route(rpc::ProcessId from, Message& message) {
  struct Visitor {
    const Parts& to;
    rpc::ProcessId from;
    // Calls, from the process that makes them to the one that runs them, and back.
    void operator()(CallMessage& m) { to.host->OnCall(from, std::move(m)); }
    void operator()(CancelMessage& m) { to.host->OnCancel(from, m); }
    void operator()(AbortMessage& m) { to.host->Abort(FromWire(m.why)); }
    void operator()(ReplyMessage& m) { to.caller->OnReply(from, std::move(m)); }
    void operator()(BegunMessage& m) { to.caller->OnBegun(m); }
    // The order of calls.
    void operator()(NumberRequest& m) { to.host->domains().OnNumberRequest(from, m); }
    void operator()(NumberGrant& m) { to.caller->OnGrant(m); }
    void operator()(RecallMessage& m) { to.caller->OnRecall(from, m); }
    void operator()(RecalledMessage& m) { to.host->domains().OnRecalled(from, m); }
    void operator()(SkipMessage& m) { to.host->domains().OnSkip(from, m); }
    void operator()(LastQuery& m) { to.host->domains().OnLastQuery(from, m); }
    void operator()(LastReply& m) { to.host->domains().OnLastReply(m); }
    // The ends of components.
    void operator()(GoneMessage& m) { to.host->OnGone(m); }
    void operator()(OrphanedMessage& m) { to.host->OnOrphaned(m); }
    void operator()(ReleasedMessage& m) {
      to.caller->OnReleased(m);
      to.constructions->Forget(m.component);
    }
    // Objects.
    void operator()(PullMessage& m) { to.objects->OnPull(from, m); }
    void operator()(PullReply& m) { to.objects->OnPullReply(std::move(m)); }
    void operator()(RetainMessage& m) { to.objects->OnRetain(from, m); }
    void operator()(RetainReply& m) { to.objects->OnRetainReply(m); }
    void operator()(ReleaseMessage& m) { to.objects->OnRelease(from, m); }
    // Of ranks that are in one method together.
    void operator()(collective::Packet& m) { to.collectives->OnPacket(from, std::move(m)); }
    // The job's end, and its losses.
    void operator()(AccountQuery& m) { to.accounts->OnQuery(from, m); }
    void operator()(AccountReply& m) { to.accounts->OnReply(std::move(m)); }
    void operator()(LossSeenMessage& m) { to.accounts->OnLossSeen(from, m); }
  };
  std::visit(Visitor{parts_, from}, message);
}

}  // namespace twinkle::actor

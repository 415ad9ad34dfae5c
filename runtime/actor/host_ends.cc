// The ends of calls before their methods' ends: cancelled, orphaned, aborted with their group.
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <algorithm>
#include <utility>

#include "runtime/actor/caller.h"
#include "runtime/actor/host.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace twinkle::actor {

using CallState = IncomingCall::State;

namespace {

constexpr size_t kMostEarlyCancels = 4096;

}  // namespace

// ---- cancelled
absl::Status Host::NotBegun(const absl::Status& why) {
  if (!absl::IsDeadlineExceeded(why)) return why;
  return absl::DeadlineExceededError(absl::StrCat(why.message(), "; it had not begun"));
}

void Host::OnCancel(rpc::ProcessId from, const CancelMessage& cancel) {
  if (const auto found = calls_.find({from, cancel.call}); found != calls_.end()) {
    const CallPtr call = found->second;
    const absl::Status why = FromWire(cancel.why);
    if (cancel.ask) Tell(*call, base::Annotate(why, What(call->Facts(services_.options))));
    CancelCall(call, why);
    const bool begun = call->state != CallState::kDone;
    if (begun && cancel.ask) services_.Send(from, rpc::Stream::kControl, BegunMessage{cancel.call});
    return;
  }
  // The call has not arrived yet, or its answer is on the way: then this is never asked for, and makes room one day.
  early_cancels_[{from, cancel.call}] = FromWire(cancel.why);
  early_order_.emplace_back(from, cancel.call);
  if (early_order_.size() <= kMostEarlyCancels) return;
  early_cancels_.erase(early_order_.front());
  early_order_.pop_front();
}

void Host::OnOwnCancel(uint64_t own, const absl::Status& why) {
  const auto found = calls_.find({services_.options.id, own});
  if (found == calls_.end()) return;  // it has an answer
  const CallPtr call = found->second;
  CancelCall(call, why);
}

void Host::Tell(const IncomingCall& call, const absl::Status& why) {
  call.running->cancellation.Cancel(why);
  Caller::CancelMadeIn(*call.running, why);
}

void Host::Skip(const CallPtr& call, const absl::Status& why) {
  call->skipped = true;
  if (call->begun || call->state == CallState::kDone) return;
  const bool queued = call->state == CallState::kReleased;
  // A call that waits for a construction goes behind it, on its lane.
  if (call->message.operation != Operation::kConstruct) AnswerUnrun(call, NotBegun(why));
  if (!queued) return;
  call->arguments_missing = 0;  // its lane passes it by: there is nothing to wait for
  call->instance->context.lane->Pump();
}

void Host::CancelCall(const CallPtr& call, const absl::Status& why) {
  if (call->skipped || call->state == CallState::kDone) return;
  Tell(*call, why);
  Skip(call, why);
  if (call->state == CallState::kDone) return;
  services_.service->PostAfter(services_.options.abort_grace, [weak = weak_from_this(), call, why] {
    const auto host = weak.lock();
    if (host == nullptr || call->state == CallState::kDone || !call->begun) return;
    host->AbortGroup(Failed(call->Facts(host->services_.options),
                            absl::AbortedError(absl::StrCat("it did not leave the method within ",
                                                            absl::FormatDuration(host->services_.options.abort_grace),
                                                            " after the call had ended with: ", base::Brief(why)))));
  });
}

// ---- orphaned
// Ends the calls of a caller that is gone, which nobody will hear of. Those that run are told. One that has not begun
// is left out, but for a group call, which other ranks may have begun: whether it runs is settled for all ranks alike
// (SE2).
void Host::OrphanCalls(rpc::ProcessId caller, const absl::Status& why) {
  std::vector<CallPtr> orphaned;
  for (const auto& [key, call] : calls_) {
    const Operation operation = call->message.operation;
    if (key.first == caller && (operation == Operation::kMethod || operation == Operation::kProbe))
      orphaned.push_back(call);
  }
  const absl::Status gone = absl::AbortedError(absl::StrCat("its caller's process is gone: ", why.message()));
  for (const CallPtr& call : orphaned) {
    Tell(*call, gone);
    if (call->message.order.number == 0) Skip(call, gone);
  }
}

void Host::OnLost(rpc::ProcessId peer, const absl::Status& why) {
  OrphanCalls(peer, why);
  UnmakeOf(peer, why);
  const std::vector<rpc::ProcessId>& group = services_.options.group_workers;
  const auto member = std::find(group.begin(), group.end(), peer);
  // On a cluster the group's processes are killed, and its callers told of the first cause by who placed them.
  if (member != group.end() && !why.ok() && !services_.placement->kills()) {
    Abort(absl::AbortedError(absl::StrCat("rank ", member - group.begin(), " is gone: ", why.message())));
  }
  domains_.OnLost(peer);
}

// ---- aborted
void Host::AbortGroup(const absl::Status& why) {
  if (services_.placement->kills()) {
    services_.placement->EndGroup(services_.options.id, services_.options.group, why);
    return Abort(why);
  }
  for (rpc::ProcessId worker : services_.options.group_workers) {
    if (worker != services_.options.id) services_.Send(worker, rpc::Stream::kControl, AbortMessage{ToWire(why)});
  }
  Abort(why);
}

void Host::Abort(const absl::Status& why) {
  if (!aborted_.ok()) return;
  aborted_ = GroupAborted(services_.options.group, why);
  services_.directory->SetAborted(services_.options.group);
  const auto calls = calls_;
  for (const auto& [key, call] : calls) {
    Tell(*call, aborted_);
    call->skipped = true;
    AnswerUnrun(call, aborted_);
  }
  base::MutexLock lock(&mutex_);
  for (const auto& [id, lane] : lanes_) {
    if (!lane->busy()) continue;
    if (services_.placement->kills()) continue;  // with its process
    base::Log(base::LogLevel::kWarning,
              absl::StrCat(services_.options.place, ": a thread of group '", services_.options.group,
                           "' is still in user code and is abandoned"));
    lane->Abandon();
  }
}

}  // namespace twinkle::actor

// A call on its way through the process that runs it.
#pragma once

#include <twinkle/internal/class_info.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/actor/context.h"
#include "runtime/actor/failure.h"
#include "runtime/actor/messages.h"
#include "runtime/actor/running_call.h"
#include "runtime/base/executor.h"
#include "runtime/base/mutex.h"
#include "runtime/object/spiller.h"

namespace twinkle::internal {
class LazyCore;
}

namespace twinkle::actor {

class Host;
struct Instance;
struct OutgoingCall;
struct ProcessOptions;

// A call that has arrived. It goes arrived -> released (its turn by number) -> posted (its arguments are here; in its
// lane's queue) -> running -> done. A call that is skipped before it runs is answered at once, and its lane passes it
// by. Members are grouped by the queue that they belong to.
struct IncomingCall {
  enum class State { kArrived, kReleased, kPosted, kDone };

  // Constant once arrived.
  Host* host = nullptr;  // of its process; stays as long as that one's queue runs tasks
  std::shared_ptr<const std::function<void(const std::shared_ptr<IncomingCall>&)>> run;  // its lane's, once posted
  bool relays = false;  // parts of its arguments come by relays
  rpc::ProcessId caller = 0;
  uint64_t refusals = 0;  // of memory for results in this process, when it arrived
  CallMessage message;
  // Of a call without a message, which a handle of this process to its own group's component has made.
  std::shared_ptr<internal::LazyCore> self;
  std::string class_name;  // qualified
  std::vector<internal::CallArgument> self_arguments;
  const internal::MethodInfo* method = nullptr;

  // On the service queue.
  State state = State::kArrived;
  std::shared_ptr<Instance> instance;
  size_t arguments_missing = 1;               // things that are awaited; one is the call's own, until all were begun
  absl::Status argument_status;               // the first that failed
  std::vector<internal::Argument> arguments;  // filled on the lane
  std::vector<object::PulledParts> pulled;    // pieces, by argument; both empty when all are here
  std::vector<std::shared_ptr<internal::LazyCore>> lazies;  // of Lazy parameters, by argument

  // Of the lane, then of the service queue.
  ReplyMessage reply;
  std::shared_ptr<void> value;  // the result, to be kept
  object::Admission admission;  // of the value, where it is large

  // Shared with the lane.
  std::shared_ptr<RunningCall> running = std::make_shared<RunningCall>();  // users may keep it
  std::atomic<bool> begun = false;                                         // it is, or was, in the user's code
  std::atomic<bool> skipped = false;  // it does not begin any more: it is cancelled
  bool told = false;                  // the outcome says already where it comes from; on the lane

  // A call that this process, `here`, makes on its own object. Takes the arguments.
  static std::shared_ptr<IncomingCall> Own(OutgoingCall& call, Host* host, rpc::ProcessId here);

  // The call's facts, for messages. They have no class when its component is not here.
  CallFacts Facts(const ProcessOptions& here) const;
};

// A remote object in this process.
struct Instance {
  ComponentInfo info;
  uint64_t number = 0;  // of its construction, in its domain's order; 0: it is alone
  const internal::ClassInfo* class_info = nullptr;
  CallContext context;  // without `call`
  absl::Status fits;    // FailedPrecondition: this program has no such class, or another
  // On its lane.
  std::shared_ptr<void> object;
  absl::Status status = absl::FailedPreconditionError("it was never constructed");
};

}  // namespace twinkle::actor

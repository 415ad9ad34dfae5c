// A call on its way out of the process that made it.
#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/time/time.h>
#include <twinkle/internal/class_info.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/actor/failure.h"
#include "runtime/actor/messages.h"
#include "runtime/actor/running_call.h"
#include "runtime/base/clock.h"
#include "runtime/object/lazy_core.h"

namespace twinkle::actor {

class Caller;
struct ProcessOptions;

// A call from its making to its last reply. Members are grouped by the thread that they belong to. Its state is changed
// by To alone.
struct OutgoingCall : std::enable_shared_from_this<OutgoingCall> {
  // How far a call has come. From each state it may settle; states that it need not wait in are passed by.
  //   kWaiting ─► kWatching ─► kPlanning ─► kReady ◄─► kRequested ─► kSent ─► kLate ─► kSettled
  enum class State : uint8_t {
    kWaiting,    // in the outbox, behind others
    kWatching,   // in the outbox: its lazy arguments tell when they are there
    kPlanning,   // in the outbox: its arguments are split by the user's code, on the collector
    kReady,      // planned; its domain has it go in its turn
    kRequested,  // the same, and its number is asked for
    kSent,       // its ranks owe replies
    kLate,       // its time limit has passed: the ranks are asked whether it had begun
    kSettled,    // answered, failed or cancelled; ranks may still owe replies
  };

  // Constant once submitted.
  uint64_t id = 0;
  Caller* caller = nullptr;  // of its process; stays as long as that one's queue runs tasks
  Operation operation = Operation::kMethod;
  std::shared_ptr<const ComponentInfo> component;
  const internal::ClassInfo* class_info = nullptr;
  const internal::MethodInfo* method = nullptr;            // kMethod
  const internal::ConstructorInfo* constructor = nullptr;  // kConstruct
  std::optional<int> rank;                                 // Rank(i)
  bool own = false;                                        // to this process's own object: it needs no plan
  internal::CallSite site;
  std::shared_ptr<internal::LazyCore> core;         // the result
  std::shared_ptr<internal::LazyCore> constructed;  // of the component, where it was made here
  std::shared_ptr<RunningCall> parent;              // in whose method it was made; null: outside of methods

  // On the service queue.
  std::vector<internal::CallArgument> arguments;   // held until the last reply: they keep their objects
  std::vector<std::optional<PackedValue>> packed;  // arguments, by index, that were encoded before it was planned
  using Workers = absl::InlinedVector<int, 4>;
  Workers workers;  // that run it: ranks of the component
  Workers used;     // positions in `workers` whose results are joined, in that order
  absl::InlinedVector<std::vector<WireArgument>, 1> parts;  // like `workers`
  uint64_t argument_bytes = 0;                              // of their values; what all ranks get counts once
  absl::InlinedVector<std::optional<ReplyMessage>, 1> replies;
  size_t missing = 0;
  // The time limit, the call's own or what is left of its parent's, and when it passes. Set when the call is sent.
  absl::Duration limit = absl::InfiniteDuration();
  base::Instant deadline = base::kForever;
  absl::Status late;  // kLate: what it fails with, if it had begun

  State state() const { return state_; }
  // Goes on to a state: the only place where the state changes. False: that state does not follow on this one, and
  // nothing has changed.
  bool To(State next);
  static bool MayFollow(State from, State next);
  bool in_outbox() const { return state_ <= State::kPlanning; }
  bool in_domain() const { return state_ == State::kReady || state_ == State::kRequested; }
  bool under_way() const { return state_ == State::kSent || state_ == State::kLate; }
  // Whether the call has a number in its domain's order. A call to one rank has none: it comes after its caller's last
  // numbered one.
  bool numbered() const { return workers.size() > 1; }

  // Puts the call among its parent's (RunningCall::children). It ends with its parent from then on, until LeaveParent.
  void JoinParent();
  void LeaveParent();

  // ---- for messages
  // Whether the call ends when its parent does. What is made or released in a method lasts.
  bool ends_with_parent() const {
    return parent != nullptr && (operation == Operation::kMethod || operation == Operation::kProbe);
  }

  const char* name() const { return method != nullptr ? method->name : OperationName(operation); }
  base::CallName Name() const;
  // The call's facts, without rank and place.
  CallFacts Facts() const;
  // The facts of a call to an object of this process, which stands for its group, if it was made for one.
  CallFacts FactsHere(const ProcessOptions& here) const;

  bool may_have_lazies() const {
    using Kind = internal::CallArgument::Kind;
    return std::any_of(arguments.begin(), arguments.end(), [](const auto& argument) {
      return argument.kind == Kind::kLazy || argument.kind == Kind::kPerRank;  // which may hold some
    });
  }
  // The process of one of `workers`, by its position.
  rpc::ProcessId process(size_t position) const { return component->workers[static_cast<size_t>(workers[position])]; }
  bool uses(size_t index) const { return std::find(used.begin(), used.end(), static_cast<int>(index)) != used.end(); }
  std::span<const internal::ParameterInfo> parameters() const {
    if (method != nullptr) return method->parameters;
    return constructor != nullptr ? constructor->parameters : std::span<const internal::ParameterInfo>();
  }

 private:
  State state_ = State::kWaiting;
  OutgoingCall* next_sibling_ = nullptr;
  OutgoingCall** to_this_ = nullptr;  // the pointer in the parent's list that points here; null: it is in none
};

}  // namespace twinkle::actor

// The sequencer of a domain, in the domain's first worker process: it hands out the numbers in which group calls run.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "runtime/rpc/transport.h"

namespace twinkle::actor {

// Effects: what the sequencer wants sent.
struct GrantNumbers {
  rpc::ProcessId caller;
  uint64_t first;
  uint64_t count;
  bool exclusive;
  bool operator==(const GrantNumbers&) const = default;
};
struct RecallNumbers {
  rpc::ProcessId caller;
  bool operator==(const RecallNumbers&) const = default;
};
struct AskLast {  // all members, about a caller that is gone
  rpc::ProcessId caller;
  bool operator==(const AskLast&) const = default;
};
struct SkipNumbers {  // on all members
  std::vector<uint64_t> numbers;
  bool operator==(const SkipNumbers&) const = default;
};
using SequencerEffect = std::variant<GrantNumbers, RecallNumbers, AskLast, SkipNumbers>;
using SequencerEffects = std::vector<SequencerEffect>;

// Ascending numbers, the latest of those that were added; neighbours take no more room than one.
class LatestNumbers {
 public:
  // REQUIRES: none was added that is as large as `first`.
  void Add(uint64_t first, uint64_t count);
  // The numbers above `number`, in order.
  std::vector<uint64_t> Above(uint64_t number) const;

 private:
  struct Range {
    uint64_t first;
    uint64_t end;
  };
  std::deque<Range> ranges_;
  uint64_t count_ = 0;
};

// A deterministic state machine: free -> exclusive -> recalling -> shared. It also settles, while it is found out which
// numbers of a lost caller are in use. It ends with its domain (Domains::Forget). For one thread at a time. Invariants:
//  SE1 a number is granted to one caller only, and numbers are granted in ascending order;
//  SE2 every number below the next one is used by its caller or skipped on all members;
//  SE3 a caller's requests are granted in the order made.
class Sequencer {
 public:
  explicit Sequencer(size_t members) : members_(members) {}

  SequencerEffects OnRequest(rpc::ProcessId caller, uint64_t count);
  // The exclusive caller's answer to a recall: the first number that it has not used.
  SequencerEffects OnRecalled(rpc::ProcessId caller, uint64_t next);
  SequencerEffects OnLost(rpc::ProcessId caller);
  // A member's answer to AskLast: the last number that arrived there from the lost caller; 0 for none.
  SequencerEffects OnLast(rpc::ProcessId caller, uint64_t last);

  // The callers that have, or wait for, numbers.
  std::vector<rpc::ProcessId> Callers() const;

 private:
  enum class State { kFree, kExclusive, kRecalling, kShared };
  struct Request {
    rpc::ProcessId caller;
    uint64_t count;
  };
  struct Lost {  // a caller whose numbers are being settled
    size_t missing;
    uint64_t least;
    uint64_t most;
  };

  bool MayGrant() const { return state_ == State::kShared && settling_.empty(); }
  void Serve(SequencerEffects& effects);
  void Settle(rpc::ProcessId caller, const Lost& lost, SequencerEffects& effects);

  const size_t members_;
  State state_ = State::kFree;
  rpc::ProcessId holder_ = 0;  // kExclusive, kRecalling
  uint64_t next_ = 1;
  std::deque<Request> requests_;
  absl::flat_hash_map<rpc::ProcessId, LatestNumbers> granted_;  // singly; settled when the caller is lost
  absl::flat_hash_map<rpc::ProcessId, Lost> settling_;
};

}  // namespace twinkle::actor

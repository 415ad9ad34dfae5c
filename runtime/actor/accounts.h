// Accounts: what the processes of a job are asked at its end. Which calls do they have under way, and which failures
// did nobody look at?
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/actor/messages.h"
#include "runtime/actor/pending_calls.h"
#include "runtime/actor/services.h"

namespace twinkle::actor {

// One process's answer.
struct Account {
  enum class From { kNobody, kGone, kProcess };  // kNobody: not answered (yet); kGone: it never will be
  From from = From::kNobody;
  uint64_t calls_made = 0;                        // since it began
  std::vector<std::string> calls_under_way = {};  // some
  absl::Status unread_failure = {};               // the first, when it was asked to close
};

// Questions to other processes, and this one's answers. Confined to the process's service queue, but for what says
// otherwise. Invariant:
//  AC1 every question is answered once, by the process or, with kGone, by its loss; or never, when this process ends.
class Accounts {
 public:
  using Done = absl::AnyInvocable<void(Account)>;

  // `pending`: the calls that this process has made.
  Accounts(const Services* services, const PendingCalls* pending) : services_(*services), pending_(*pending) {}

  // This process's own account. Thread-safe.
  Account Own() const;
  // Asks other processes, all at once, and gives their answers in this order; see Ask. Thread-safe. Blocks until all
  // have answered, or none has for `patience`: a thousand on a few processors take their time.
  std::vector<Account> AskAll(const std::vector<rpc::ProcessId>& peers, bool close, absl::Duration patience);
  // These processes of the job are gone by nobody's wish. Thread-safe. A rank notes that before what is under way with
  // them ends: the program hears once somebody here has looked at a call that failed of it.
  void NoteLoss(const std::vector<rpc::ProcessId>& processes, const absl::Status& why);

  // Asks a process for its account. With `close` it is to log the failures that nobody looked at, there or here, and to
  // forget them.
  void Ask(rpc::ProcessId peer, bool close, Done done);
  void OnQuery(rpc::ProcessId from, const AccountQuery& query);
  void OnReply(AccountReply reply);
  void OnLossSeen(rpc::ProcessId from, const LossSeenMessage& seen);
  void OnLost(rpc::ProcessId peer);

 private:
  struct Asked {
    rpc::ProcessId peer;
    Done done;
  };
  const Services& services_;
  const PendingCalls& pending_;
  uint64_t next_ = 1;
  absl::flat_hash_map<uint64_t, Asked> asked_;  // by token
};

// Whether a job is at rest: no call is under way in any process. The processes are not asked at one instant, and a call
// may hop from one that has yet to be asked to one that was. So two passes in a row must find every process without a
// call under way, and no call made between the two (Mattern's four counters: calls made and calls ended, each twice).
// Then there was none at the instant between the passes; and a method under way is a call under way of its caller.
class RestDetector {
 public:
  // Takes one pass over all processes, always in the same order. Processes that are gone, or do not answer, have no
  // calls. True: the job is at rest.
  bool Pass(const std::vector<Account>& accounts);

 private:
  std::optional<std::vector<uint64_t>> made_;  // in the pass before, which found no call under way
};

}  // namespace twinkle::actor

// The sequencer among callers that use, recall and lose numbers at random: whatever happens, each number is used by one
// caller on all members, or skipped on all.
#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/actor/sequencer.h"
#include "tests/support/catch.h"
#include "tests/support/random.h"

namespace twinkle::actor {
namespace {

using tests::Below;
using tests::OneIn;
using tests::Random;

struct Request {
  uint64_t count;
};
struct Recalled {
  uint64_t next;
};
struct Lost {};

// A process that makes calls, as Caller does it. What it sends to each member arrives in order; when it dies only the
// beginning of it has.
struct ModelCaller {
  bool alive = true;
  bool exclusive = false;
  uint64_t next = 0;
  int wanted = 0;  // calls that have no number yet
  std::deque<uint64_t> granted;
  std::vector<uint64_t> sent;
  std::vector<size_t> arrived;  // how many of them, by member
  std::deque<std::variant<Request, Recalled, Lost>> to_sequencer;
  std::deque<std::variant<GrantNumbers, RecallNumbers>> inbox;
};

class SequencerModel {
 public:
  SequencerModel(size_t members, uint64_t seed) : members_(members), sequencer_(members), random_(seed) {
    for (int i = 0; i < alive_; ++i) callers_[static_cast<rpc::ProcessId>(100 + i)].arrived.assign(members, 0);
  }

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) Step();
    while (Deliver()) {
    }
  }

  void Check() {
    std::map<uint64_t, rpc::ProcessId> owner;
    for (const auto& [id, caller] : callers_) {
      CHECK(std::is_sorted(caller.sent.begin(), caller.sent.end()));
      for (const uint64_t number : caller.sent) CHECK(owner.emplace(number, id).second);  // SE1
      if (caller.alive) CHECK(caller.wanted == 0);
    }
    const uint64_t highest = std::max(
        {owner.empty() ? 0 : owner.rbegin()->first, granted_to_ - 1, skipped_.empty() ? 0 : *skipped_.rbegin()});
    for (uint64_t number = 1; number <= highest; ++number) {
      INFO("number " << number);
      const auto found = owner.find(number);
      const bool skipped = skipped_.count(number) != 0;
      if (found == owner.end()) {
        CHECK(skipped);  // SE2
        continue;
      }
      const ModelCaller& caller = callers_.at(found->second);
      const size_t position =
          static_cast<size_t>(std::find(caller.sent.begin(), caller.sent.end(), number) - caller.sent.begin());
      const size_t everywhere = *std::min_element(caller.arrived.begin(), caller.arrived.end());
      CHECK(skipped == (position >= everywhere));  // SE2
    }
  }

 private:
  using CallerEntry = std::pair<const rpc::ProcessId, ModelCaller>;

  CallerEntry& Any() { return *std::next(callers_.begin(), Below(random_, static_cast<int>(callers_.size()))); }

  void Step() {
    CallerEntry& entry = Any();
    ModelCaller& caller = entry.second;
    const int kind = Below(random_, 100);
    if (kind < 15) return Want(caller);
    if (kind < 40) return ToSequencer(entry);
    if (kind < 65) return Hear(caller);
    if (kind < 90) return Arrive(caller);
    if (kind < 91 && alive_ > 1 && caller.alive) return Die(caller);
    AnswerOne();
  }

  // Something that is still under way; false when nothing is.
  bool Deliver() {
    bool any = AnswerOne();
    for (CallerEntry& entry : callers_) {
      ModelCaller& caller = entry.second;
      any |= !caller.to_sequencer.empty() || (caller.alive && !caller.inbox.empty());
      ToSequencer(entry);
      Hear(caller);
      for (size_t& arrived : caller.arrived) {
        if (!caller.alive || arrived == caller.sent.size()) continue;
        ++arrived;
        any = true;
      }
    }
    return any;
  }

  // ---- the callers
  void Want(ModelCaller& caller) {
    if (!caller.alive) return;
    const int count = 1 + Below(random_, 3);
    caller.wanted += count;
    Use(caller);
    const uint64_t missing = static_cast<uint64_t>(std::min(caller.wanted, count));
    if (missing > 0) caller.to_sequencer.push_back(Request{missing});
  }

  // Numbers that no call wants are sent as skips: members take them as used.
  void Use(ModelCaller& caller) {
    while (!caller.granted.empty()) {
      caller.sent.push_back(caller.granted.front());
      caller.granted.pop_front();
      caller.wanted = std::max(0, caller.wanted - 1);
    }
    for (; caller.exclusive && caller.wanted > 0; --caller.wanted) caller.sent.push_back(caller.next++);
  }

  void Hear(ModelCaller& caller) {
    if (!caller.alive || caller.inbox.empty()) return;
    const auto heard = caller.inbox.front();
    caller.inbox.pop_front();
    if (const auto* grant = std::get_if<GrantNumbers>(&heard)) {
      if (grant->exclusive) {
        caller.exclusive = true;
        caller.next = grant->first;
      }
      for (uint64_t i = 0; i < grant->count; ++i) caller.granted.push_back(grant->first + i);
      return Use(caller);
    }
    REQUIRE(caller.exclusive);
    caller.exclusive = false;
    caller.to_sequencer.push_back(Recalled{caller.next});
  }

  void Arrive(ModelCaller& caller) {
    size_t& arrived = caller.arrived[static_cast<size_t>(Below(random_, static_cast<int>(members_)))];
    if (caller.alive && arrived < caller.sent.size()) ++arrived;
  }

  void Die(ModelCaller& caller) {
    --alive_;
    caller.alive = false;
    // What reached nobody never was.
    caller.sent.resize(*std::max_element(caller.arrived.begin(), caller.arrived.end()));
    caller.to_sequencer.resize(random_() % (caller.to_sequencer.size() + 1));
    caller.to_sequencer.push_back(Lost{});
  }

  // ---- the sequencer and the members
  void ToSequencer(CallerEntry& entry) {
    auto& [id, caller] = entry;
    if (caller.to_sequencer.empty()) return;
    const auto message = caller.to_sequencer.front();
    caller.to_sequencer.pop_front();
    if (const auto* request = std::get_if<Request>(&message)) {
      Apply(sequencer_.OnRequest(id, request->count));
    } else if (const auto* recalled = std::get_if<Recalled>(&message)) {
      Apply(sequencer_.OnRecalled(id, recalled->next));
    } else {
      Apply(sequencer_.OnLost(id));
    }
  }

  bool AnswerOne() {
    if (questions_.empty()) return false;
    const size_t which = random_() % questions_.size();
    const auto [id, member] = questions_[which];
    questions_.erase(questions_.begin() + static_cast<ptrdiff_t>(which));
    const ModelCaller& caller = callers_.at(id);
    const size_t arrived = caller.arrived[member];
    Apply(sequencer_.OnLast(id, arrived == 0 ? 0 : caller.sent[arrived - 1]));
    return true;
  }

  void Apply(const SequencerEffects& effects) {
    for (const SequencerEffect& effect : effects) {
      if (const auto* grant = std::get_if<GrantNumbers>(&effect)) {
        callers_.at(grant->caller).inbox.push_back(*grant);
        CHECK(grant->first >= granted_to_);  // SE1: ascending
        granted_to_ = grant->first + grant->count;
      } else if (const auto* recall = std::get_if<RecallNumbers>(&effect)) {
        callers_.at(recall->caller).inbox.push_back(*recall);
      } else if (const auto* ask = std::get_if<AskLast>(&effect)) {
        CHECK_FALSE(callers_.at(ask->caller).alive);
        for (size_t member = 0; member < members_; ++member) questions_.emplace_back(ask->caller, member);
      } else {
        for (const uint64_t number : std::get<SkipNumbers>(effect).numbers) CHECK(skipped_.insert(number).second);
      }
    }
  }

  const size_t members_;
  Sequencer sequencer_;
  Random random_;
  std::map<rpc::ProcessId, ModelCaller> callers_;
  std::vector<std::pair<rpc::ProcessId, size_t>> questions_;  // to members, about lost callers
  std::set<uint64_t> skipped_;
  uint64_t granted_to_ = 1;  // the number after the last grant
  int alive_ = 4;
};

TEST_CASE("numbers are unique, and each one is used or skipped on all members, whoever dies when (SE1-SE3)") {
  const uint64_t seed = tests::Seed();
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    const size_t members = static_cast<size_t>(1 + Below(random, 4));
    const uint64_t one = random();
    INFO("TWINKLE_TEST_SEED=" << seed << ", round " << round);
    SequencerModel model(members, one);
    model.Run(50 + Below(random, 400));
    model.Check();
  }
}

}  // namespace
}  // namespace twinkle::actor

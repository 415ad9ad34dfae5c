// Strangers: connections that have not shown yet what lets them in, and the limits of what they may cost until then.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.h"

namespace twinkle::rpc {

// Limits for strangers.
struct StrangerLimits {
  size_t most = 512;  // strangers at once
  // Time in which a stranger is not expelled for a newcomer: since it came, and again since it is served.
  absl::Duration moment = absl::Milliseconds(200);
  absl::Duration patience = absl::Seconds(10);  // time after which a stranger is expelled, however few there are
  // Bytes that one stranger may send, and all of them together, before they are let in. A healthy peer shows what lets
  // it in with the head of its first call; HTTP/2 lets it send 64 KiB before that call is read.
  uint64_t bytes = 96 << 10;
  uint64_t bytes_of_all = 2 << 20;
  // Debt: bytes that strangers of one source may have sent who went without being let in, and how many of these are
  // forgiven in a second. The numbers are small because gRPC makes up to 240 times as much memory of such bytes
  // (measured: streams that are opened and reset), and frees it only a little later.
  uint64_t bytes_of_gone = 128 << 10;
  uint64_t forgiven = 64 << 10;
  // The debt of all sources together, and how often one more stranger is served while that could be too much.
  uint64_t bytes_of_all_gone = 512 << 10;
  uint64_t forgiven_to_all = 256 << 10;
  absl::Duration turn = absl::Milliseconds(100);
};

// The table of strangers. It only counts: it has no descriptors and no clock. A stranger has a source, which is an
// address or a user: whoever can open many connections. It waits until it is served; its bytes are read only from then
// on. For one thread at a time. Invariants:
//  ST1 there are never more than `most` strangers. A newcomer takes the place of a stranger of the source that has
//      most: of its oldest one whose moment is over, else of its newest. So a source with few is not crowded out by one
//      with many. Where each source has one, whoever is let in quickly is served, however many others come;
//  ST2 a stranger that has sent too much, or has taken too long, is expelled;
//  ST3 when all strangers together have sent too much, those of the source that sent most are expelled first;
//  ST4 while the debt of a source is too much, which lasts a second at most, its other strangers wait. While its debt
//      is more than half of that, they are served one by one. So however often a source comes again, it costs a server
//      only so much at a time, and keeps nobody of another source waiting;
//  ST5 while the debt of all sources is more than a quarter of too much, only so many strangers are served at once as
//      could send the rest, and one more each turn. The newest of the source that owes least is served first. So an
//      honest newcomer waits neither for those who have been here nor for those who came before it. A stranger that is
//      served then is not expelled for a newcomer as long as others wait, nor counted when it is asked which source has
//      most: a busy server takes its time.
class Strangers {
 public:
  // The number of a connection in the table, ascending. The caller knows the descriptor by it.
  using Id = uint64_t;

  explicit Strangers(StrangerLimits limits) : limits_(limits) {}

  // Whether a newcomer from any source would find room now, or take another's place (ST1).
  bool HasRoom(base::Instant now) const;
  // Adds a stranger, which waits. Returns the stranger that was removed for it, if any; this is the newcomer itself if
  // there is no room. `peer` is the name by which Find finds it; one with an empty name is never found.
  std::optional<Id> Add(Id id, std::string peer, const std::string& source, base::Instant now);
  // Marks strangers whose turn has come as served, and returns them (ST4, ST5).
  std::vector<Id> Serve(base::Instant now);
  bool is_served(Id id) const;
  // Removes a stranger that was let in, or that has ended without that. Only the latter adds to its source's debt.
  void LetIn(Id id);
  void Ended(Id id, base::Instant now);
  // The stranger with the name `peer`, which only one has (PeerName in incoming.h).
  std::optional<Id> Find(const std::string& peer) const;
  // Sets how many bytes a stranger that is served has sent so far.
  void SetBytes(Id id, uint64_t bytes);
  // Removes the strangers that must go now, and returns them (ST2, ST3).
  std::vector<Id> Expel(base::Instant now);
  // Removes the oldest stranger of the source that has most, and returns it: for when descriptors are short.
  std::optional<Id> ExpelOldest(base::Instant now);

  size_t size() const { return all_.size(); }
  // The largest debt that is not forgiven yet, in bytes: of one source, or of all together.
  uint64_t Owed(base::Instant now);
  // Whether there is no stranger and, as of the last Owed, no debt.
  bool is_quiet() const { return all_.empty() && sources_.empty(); }
  std::vector<Id> ids() const;

 private:
  // Bytes that are owed, and forgiven over time.
  struct Debt {
    double bytes = 0;  // as of `then`
    base::Instant then;
    void Forgive(base::Instant now, uint64_t each_second);
    void Add(uint64_t more, uint64_t most);
  };
  struct Source {
    size_t present = 0;  // strangers
    size_t served = 0;   // strangers that are served
    uint64_t bytes = 0;  // bytes that its strangers have sent
    Debt debt;
  };
  using Sources = std::map<std::string, Source>;
  struct Stranger {
    std::string peer;
    Sources::iterator source;
    base::Instant since;  // since when it waits, or is served
    bool served = false;
    uint64_t bytes = 0;
  };
  using All = std::map<Id, Stranger>;

  void Remove(Id id);
  // Whether the debt of all sources is such that strangers take turns (ST5).
  bool is_pressed() const;
  size_t RoomToServe(base::Instant now) const;
  bool MayBeServed(const Source& source) const;
  // The stranger whose place a newcomer takes (ST1, ST5); nothing: none but the newcomer itself. `newcomer`: its id, if
  // it is in the table already.
  std::optional<Id> WhoGoes(base::Instant now, std::optional<Id> newcomer) const;
  uint64_t bytes() const;

  const StrangerLimits limits_;
  Sources sources_;  // sources with strangers, or with a debt
  All all_;          // ordered by id, so the oldest is first
  Debt debt_;        // of all sources
  base::Instant last_turn_ = base::kLongAgo;
};

}  // namespace twinkle::rpc

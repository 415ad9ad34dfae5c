// Connections that have not shown yet what lets them in, and what they may cost until they do.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.h"

namespace twinkle::rpc {

struct StrangerLimits {
  size_t most = 512;                                // of them at once
  absl::Duration moment = absl::Milliseconds(200);  // that each has to wait, and again once it is served
  absl::Duration patience = absl::Seconds(10);      // the same, however few there are
  // Bytes that one may send, and all of them, before that. A healthy peer shows it in the head of its first call, and
  // HTTP/2 lets it send 64 KiB before that call is read.
  uint64_t bytes = 96 << 10;
  uint64_t bytes_of_all = 2 << 20;
  // Bytes that those of one source may have sent who went without being let in, and how many are forgiven in a second.
  // Few: gRPC makes up to 240 times as much of them (measured: streams that are opened and reset), and frees that a
  // little later.
  uint64_t bytes_of_gone = 128 << 10;
  uint64_t forgiven = 64 << 10;
  // The same for all sources together, and how often one more is served when it could be too much.
  uint64_t bytes_of_all_gone = 512 << 10;
  uint64_t forgiven_to_all = 256 << 10;
  absl::Duration turn = absl::Milliseconds(100);
};

// The table of strangers, as arithmetic: no descriptors and no clock. Each has a source, whoever it is that can open
// many connections: an address, or a user. One waits until it is served; only then what it sends is read. Not
// thread-safe. Invariants:
//  ST1 there are never more than `most`. For a newcomer one of the source that has most goes: its oldest, once that has
//      had its moment, else its newest. So a source with few is not crowded out by one with many; and where each has
//      one, whoever is let in quickly is served, however many others come;
//  ST2 who has sent too much, or has taken too long, goes;
//  ST3 when all of them together have sent too much those of the source that sent most go first;
//  ST4 while those of one source who went without being let in have sent too much, a second at most, others of it wait;
//      while they have sent more than half of that these are served one by one. So however often a source comes again,
//      it costs a server only so much at a time, and keeps nobody of another source waiting;
//  ST5 while those of all sources have sent more than a quarter of too much only so many are served at once as could
//      send the rest, but one more each turn; of the source that owes least the newest. So an honest newcomer waits
//      neither for those who have been here nor for those who came before it. Who is served then goes for no newcomer
//      as long as others wait, nor counts when it is asked who has most: a server that is busy takes its time.
class Strangers {
 public:
  // A connection's number here, ascending; the caller knows its descriptor by it.
  using Id = uint64_t;

  explicit Strangers(StrangerLimits limits) : limits_(limits) {}

  // Whether a newcomer, wherever it comes from, finds room now, or makes itself some (ST1).
  bool HasRoom(base::Instant now) const;
  // One more, which waits. Who goes for it; where there is no room that is the newcomer itself. It is removed. A
  // stranger whose `peer` is empty, who has no name of its own, is never found.
  std::optional<Id> Add(Id id, std::string peer, const std::string& source, base::Instant now);
  // Those whose turn has come: they are served from now on (ST4, ST5).
  std::vector<Id> Serve(base::Instant now);
  bool is_served(Id id) const;
  // One is no stranger any more: it was let in, or it has ended.
  void LetIn(Id id);
  void Ended(Id id, base::Instant now);
  // The stranger that comes from `peer`, a name that only one has (PeerName in incoming.h).
  std::optional<Id> Find(const std::string& peer) const;
  // How many bytes one that is served has sent so far.
  void SetBytes(Id id, uint64_t bytes);
  // Those that have to go now (ST2, ST3). They are removed.
  std::vector<Id> Expel(base::Instant now);
  // The oldest of the source that has most, which is removed: for when descriptors are short.
  std::optional<Id> ExpelOldest(base::Instant now);

  size_t size() const { return all_.size(); }
  // Bytes that those have sent who went without being let in, and that are not forgiven yet.
  uint64_t Owed(base::Instant now);
  // Nobody is here, and as of the last Owed no source owes anything.
  bool is_quiet() const { return all_.empty() && sources_.empty(); }
  std::vector<Id> ids() const;

 private:
  struct Debt {
    double bytes = 0;  // as of then
    base::Instant then;
    void Forgive(base::Instant now, uint64_t each_second);
    void Add(uint64_t more, uint64_t most);
  };
  struct Source {
    size_t present = 0;
    size_t served = 0;   // of those
    uint64_t bytes = 0;  // that those have sent
    Debt debt;
  };
  using Sources = std::map<std::string, Source>;
  struct Stranger {
    std::string peer;
    Sources::iterator source;
    base::Instant since;  // it came, or is served
    bool served = false;
    uint64_t bytes = 0;
  };
  using All = std::map<Id, Stranger>;

  bool is_pressed() const;
  size_t RoomToServe(base::Instant now) const;
  bool MayBeServed(const Source& source) const;
  // For a newcomer, which may be here already (ST1, ST5). Nothing: only the newcomer itself.
  std::optional<Id> WhoGoes(base::Instant now, std::optional<Id> newcomer) const;
  uint64_t bytes() const;

  const StrangerLimits limits_;
  Sources sources_;  // that have somebody here, or owe something
  All all_;          // ids ascend, so the oldest is the first
  Debt debt_;        // of all sources
  base::Instant last_turn_ = base::kLongAgo;
};

}  // namespace twinkle::rpc

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
  absl::Duration moment = absl::Milliseconds(200);  // that each has, however many wait
  absl::Duration patience = absl::Seconds(10);      // until one has shown what lets it in
  // Bytes that one may send, and all of them, before that. A healthy peer shows it in the head of its first call, and
  // HTTP/2 lets it send 64 KiB before that call is read.
  uint64_t bytes = 96 << 10;
  uint64_t bytes_of_all = 2 << 20;
  // Bytes that those may have sent who went without being let in, and how many are forgiven in a second. Few: gRPC
  // makes up to 240 times as much of them (measured: streams that are opened and reset), and frees that a little later.
  uint64_t bytes_of_gone = 128 << 10;
  uint64_t forgiven = 64 << 10;
};

// The table of strangers, as arithmetic: no descriptors and no clock. Not thread-safe. Invariants:
//  S1 there are never more than `most`. For a newcomer the oldest goes, once it has had its moment; until then
//     newcomers wait to be accepted. So whoever is let in quickly is served, however many others come;
//  S2 who has sent too much, or has taken too long, goes;
//  S3 when all of them together have sent too much those that sent most go first;
//  S4 when those who went without being let in have sent too much newcomers wait, a second at most, until some is
//     forgiven; while more than half of it is owed, they come one by one. So however often strangers come again, they
//     cost a server only so much at a time.
class Strangers {
 public:
  // A connection's number here; the caller knows its descriptor by it.
  using Id = uint64_t;

  explicit Strangers(StrangerLimits limits) : limits_(limits) {}

  struct Room {
    bool is_there = true;
    std::optional<Id> gone;  // for it; it is removed
  };
  // Room for one more (S1, S4).
  Room MakeRoom(base::Instant now);
  // REQUIRES: there is room. A stranger whose `peer` is empty, who has no name of its own, is never found.
  void Add(Id id, std::string peer, base::Instant now);
  // One is no stranger any more: it was let in, or it has ended.
  void LetIn(Id id) { all_.erase(id); }
  void Ended(Id id);
  // The stranger that comes from `peer`, a name that only one has (PeerName in incoming.h).
  std::optional<Id> Find(const std::string& peer) const;
  // How many bytes one has sent so far.
  void SetBytes(Id id, uint64_t bytes);
  // Those that have to go now (S2, S3). They are removed.
  std::vector<Id> Expel(base::Instant now);
  // The oldest, which is removed: for when descriptors are short.
  std::optional<Id> ExpelOldest();

  size_t size() const { return all_.size(); }
  // Bytes that those have sent who went without being let in, and that are not forgiven yet.
  uint64_t Owed(base::Instant now);
  std::vector<Id> ids() const;

 private:
  struct Stranger {
    std::string peer;
    base::Instant since;
    uint64_t bytes = 0;
  };
  std::map<Id, Stranger>::iterator Go(std::map<Id, Stranger>::iterator one);

  const StrangerLimits limits_;
  std::map<Id, Stranger> all_;  // ids ascend, so the oldest is the first
  double owed_ = 0;             // bytes of those who went without being let in, as of then
  base::Instant then_;
};

}  // namespace twinkle::rpc

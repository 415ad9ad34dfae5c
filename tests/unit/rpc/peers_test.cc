// A table with an entry for each incarnation of a process.
#include "runtime/rpc/peers.h"

#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

struct PeerEntry {
  explicit PeerEntry(size_t number) : before(number) {}
  const size_t before;  // how many there were
};

PeerEntry& EntryOf(Peers<PeerEntry>& peers, ProcessId id) {
  return peers.At(id, [](size_t before) { return std::make_unique<PeerEntry>(before); });
}

TEST_CASE("an entry is made when it is first asked for, and stays, whoever was asked for since") {
  Peers<PeerEntry> peers;
  PeerEntry& first = EntryOf(peers, 1);
  PeerEntry& other = EntryOf(peers, 65);  // found by the same place without the lock
  CHECK(&first != &other);
  CHECK(&EntryOf(peers, 1) == &first);
  CHECK(&EntryOf(peers, 65) == &other);
  CHECK(first.before == 0);
  CHECK(other.before == 1);
  CHECK(peers.size() == 2);
}

TEST_CASE("all entries are in the order in which they were made") {
  Peers<PeerEntry> peers;
  for (const ProcessId id : {7, 3, 5, 3}) EntryOf(peers, id);
  std::vector<ProcessId> ids;
  for (const auto& [id, entry] : peers.All()) {
    CHECK(entry->before == ids.size());
    ids.push_back(id);
  }
  CHECK(ids == std::vector<ProcessId>{7, 3, 5});
}

TEST_CASE("threads that ask at once find one entry") {
  constexpr ProcessId kPeers = 200;
  Peers<PeerEntry> peers;
  std::vector<std::set<PeerEntry*>> found(4);
  std::vector<std::thread> threads;
  for (auto& mine : found) {
    threads.emplace_back([&peers, &mine] {
      for (ProcessId id = 0; id < kPeers; ++id) mine.insert(&EntryOf(peers, id));
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(peers.size() == kPeers);
  for (const auto& mine : found) CHECK(mine == found[0]);
}

}  // namespace
}  // namespace twinkle::rpc

#include "runtime/rpc/near/doorbell.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "runtime/rpc/near/ring_link.h"
#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

std::vector<size_t> Taken(const Doorbell& bell, size_t slots) {
  std::vector<size_t> taken;
  bell.TakeMarks(slots, [&](size_t slot) { taken.push_back(slot); });
  return taken;
}

TEST_CASE("whoever has rung is found once, however often it rang") {
  const Doorbell mine = *Doorbell::Make();
  const Doorbell theirs = *Doorbell::Open(::getpid(), mine.file().fd(), mine.file().inode());
  const uint32_t before = mine.count();
  for (const size_t slot : {size_t{70}, size_t{3}, size_t{3}, size_t{0}, Doorbell::kSlots - 1}) theirs.Ring(slot);
  CHECK(mine.count() == before + 5);
  CHECK(Taken(mine, 64) == std::vector<size_t>{0, 3});
  CHECK(Taken(mine, Doorbell::kSlots + 5) == std::vector<size_t>{70, Doorbell::kSlots - 1});
  CHECK(Taken(mine, Doorbell::kSlots).empty());
  theirs.Mark(70);
  CHECK(mine.count() == before + 5);
  CHECK(Taken(mine, 71) == std::vector<size_t>{70});
}

TEST_CASE("an offer is taken only with a slot that the bell has") {
  const Doorbell bell = *Doorbell::Make();
  RingLink maker([](Stream, Frame) { return absl::OkStatus(); }, 5);
  RingOffer offer = *maker.MakeMine("nonce", bell);
  CHECK(offer.bell_slot == 5);
  RingLink taker([](Stream, Frame) { return absl::OkStatus(); }, 0);
  offer.bell_slot = Doorbell::kSlots;
  CHECK_FALSE(taker.MapTheirs(::getpid(), "nonce", offer));
  offer.bell_slot = Doorbell::kSlots - 1;
  CHECK(taker.MapTheirs(::getpid(), "nonce", offer));
}

}  // namespace
}  // namespace twinkle::rpc

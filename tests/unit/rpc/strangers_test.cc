#include "runtime/rpc/strangers.h"

#include <vector>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

using Ids = std::vector<Strangers::Id>;

constexpr base::Instant kBegin;

TEST_CASE("there are never too many strangers: the oldest goes for a newcomer, once it has had its moment (S1)") {
  Strangers strangers({.most = 2, .moment = absl::Seconds(1)});
  for (const Strangers::Id id : {1, 2}) {
    const Strangers::Room room = strangers.MakeRoom(kBegin);
    CHECK(room.is_there);
    CHECK_FALSE(room.gone);
    strangers.Add(id, "peer", kBegin);
  }
  CHECK_FALSE(strangers.MakeRoom(kBegin + absl::Milliseconds(999)).is_there);
  CHECK(strangers.ids() == Ids{1, 2});
  CHECK(strangers.MakeRoom(kBegin + absl::Seconds(1)).gone == 1);
  strangers.Add(3, "c", kBegin + absl::Seconds(1));
  CHECK(strangers.MakeRoom(kBegin + absl::Seconds(1)).gone == 2);
}

TEST_CASE("who was let in is no stranger, and does not go (S1)") {
  Strangers strangers({.most = 2, .patience = absl::Seconds(1)});
  strangers.Add(1, "a", kBegin);
  strangers.Add(2, "b", kBegin);
  REQUIRE(strangers.Find("a") == 1);
  CHECK_FALSE(strangers.Find("c"));
  strangers.LetIn(1);
  CHECK_FALSE(strangers.Find("a"));
  CHECK(strangers.MakeRoom(kBegin).is_there);
  strangers.Add(3, "c", kBegin);
  CHECK(strangers.Expel(kBegin + absl::Seconds(1)) == Ids{2, 3});
}

TEST_CASE("a stranger that takes too long, or sends too much, goes (S2)") {
  Strangers strangers({.patience = absl::Seconds(10), .bytes = 1000});
  strangers.Add(1, "a", kBegin);
  strangers.Add(2, "b", kBegin + absl::Seconds(5));
  strangers.SetBytes(2, 1000);
  CHECK(strangers.Expel(kBegin + absl::Seconds(9)).empty());
  CHECK(strangers.Expel(kBegin + absl::Seconds(10)) == Ids{1});
  strangers.SetBytes(2, 1001);
  CHECK(strangers.Expel(kBegin + absl::Seconds(10)) == Ids{2});
  CHECK(strangers.size() == 0);
}

TEST_CASE("when all have sent too much together, those that sent most go (S3)") {
  Strangers strangers({.bytes = 1000, .bytes_of_all = 1500});
  for (Strangers::Id id = 1; id <= 4; ++id) {
    strangers.Add(id, "peer", kBegin);
    strangers.SetBytes(id, id * 200);  // 2000 in all
  }
  CHECK(strangers.Expel(kBegin) == Ids{4});
  CHECK(strangers.Expel(kBegin).empty());
}

TEST_CASE("what strangers have sent who have gone is forgiven in time; until then newcomers wait (S4)") {
  Strangers strangers({.bytes = 1000, .bytes_of_gone = 2000, .forgiven = 100});
  const auto come_and = [&](Strangers::Id id, uint64_t bytes) {
    strangers.Add(id, "peer", kBegin);
    strangers.SetBytes(id, bytes);
  };
  come_and(1, 1001);
  CHECK(strangers.Expel(kBegin) == Ids{1});
  CHECK(strangers.MakeRoom(kBegin).is_there);
  come_and(2, 999);
  CHECK_FALSE(strangers.MakeRoom(kBegin).is_there);  // one by one, while much is owed
  strangers.Ended(2);
  CHECK_FALSE(strangers.MakeRoom(kBegin).is_there);
  CHECK(strangers.MakeRoom(kBegin + absl::Seconds(1)).is_there);
  CHECK(strangers.Owed(kBegin + absl::Seconds(19)) == 100);  // 2000, at 100 a second
  CHECK(strangers.Owed(kBegin + absl::Seconds(20)) == 0);
}

TEST_CASE("nobody waits longer than a second for what others have sent (S4)") {
  Strangers strangers({.bytes = 1000, .bytes_of_gone = 2000, .forgiven = 100});
  strangers.Add(1, "peer", kBegin);
  strangers.SetBytes(1, 1'000'000);
  strangers.Ended(1);
  CHECK_FALSE(strangers.MakeRoom(kBegin + absl::Milliseconds(990)).is_there);
  CHECK(strangers.MakeRoom(kBegin + absl::Seconds(1) + absl::Milliseconds(10)).is_there);
}

TEST_CASE("what those have sent who were let in counts for nobody (S4)") {
  Strangers strangers({.bytes = 1000, .bytes_of_gone = 500, .forgiven = 1});
  strangers.Add(1, "a", kBegin);
  strangers.SetBytes(1, 1000);
  strangers.LetIn(1);
  CHECK(strangers.MakeRoom(kBegin).is_there);
  CHECK(strangers.Owed(kBegin) == 0);
}

TEST_CASE("the oldest stranger goes when descriptors are short") {
  Strangers strangers({});
  CHECK_FALSE(strangers.ExpelOldest());
  strangers.Add(1, "a", kBegin);
  strangers.Add(2, "b", kBegin);
  CHECK(strangers.ExpelOldest() == 1);
  CHECK(strangers.ids() == Ids{2});
}

}  // namespace
}  // namespace twinkle::rpc

#include "runtime/rpc/strangers.h"

#include <absl/strings/str_cat.h>

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

using Ids = std::vector<Strangers::Id>;

constexpr base::Instant kBegin;

// One that is served at once.
void Come(Strangers& strangers, Strangers::Id id, const std::string& source, base::Instant now = kBegin) {
  REQUIRE(strangers.HasRoom(now));
  REQUIRE_FALSE(strangers.Add(id, absl::StrCat(source, ":", id), source, now));
  REQUIRE(strangers.Serve(now) == Ids{id});
}

// One is served, sends so much, and goes.
void ComeAndGo(Strangers& strangers, Strangers::Id id, const std::string& source, uint64_t bytes, base::Instant now) {
  Come(strangers, id, source, now);
  strangers.SetBytes(id, bytes);
  strangers.Ended(id, now);
}

TEST_CASE("there are never too many strangers: the oldest goes for a newcomer, once it has had its moment (ST1)") {
  Strangers strangers({.most = 2, .moment = absl::Seconds(1)});
  Come(strangers, 1, "a");
  Come(strangers, 2, "b");
  CHECK_FALSE(strangers.HasRoom(kBegin + absl::Milliseconds(999)));
  CHECK(strangers.Add(3, "c", "c", kBegin + absl::Milliseconds(999)) == 3);
  CHECK(strangers.ids() == Ids{1, 2});
  CHECK(strangers.HasRoom(kBegin + absl::Seconds(1)));
  CHECK(strangers.Add(4, "d", "d", kBegin + absl::Seconds(1)) == 1);
  CHECK(strangers.Add(5, "e", "e", kBegin + absl::Seconds(1)) == 2);
}

TEST_CASE("a source with many strangers makes room for one with few, before their moment has passed (ST1)") {
  Strangers strangers({.most = 4, .moment = absl::Seconds(1)});
  Come(strangers, 1, "honest");
  for (const Strangers::Id id : {2, 3, 4}) Come(strangers, id, "hostile");
  CHECK(strangers.HasRoom(kBegin));
  CHECK(strangers.Add(5, "e", "another", kBegin) == 4);
  CHECK(strangers.Add(6, "f", "hostile", kBegin) == 6);
  CHECK(strangers.ids() == Ids{1, 2, 3, 5});
  CHECK(strangers.Add(7, "g", "third", kBegin + absl::Seconds(1)) == 2);
}

TEST_CASE("who was let in is no stranger, and does not go (ST1)") {
  Strangers strangers({.most = 2, .patience = absl::Seconds(1)});
  Come(strangers, 1, "a");
  Come(strangers, 2, "b");
  REQUIRE(strangers.Find("a:1") == 1);
  CHECK_FALSE(strangers.Find("c:3"));
  strangers.LetIn(1);
  CHECK_FALSE(strangers.Find("a:1"));
  Come(strangers, 3, "c");
  CHECK(strangers.Expel(kBegin + absl::Seconds(1)) == Ids{2, 3});
}

TEST_CASE("a stranger that takes too long, or sends too much, goes (ST2)") {
  Strangers strangers({.patience = absl::Seconds(10), .bytes = 1000});
  Come(strangers, 1, "a");
  Come(strangers, 2, "b", kBegin + absl::Seconds(5));
  strangers.SetBytes(2, 1000);
  CHECK(strangers.Expel(kBegin + absl::Seconds(9)).empty());
  CHECK(strangers.Expel(kBegin + absl::Seconds(10)) == Ids{1});
  strangers.SetBytes(2, 1001);
  CHECK(strangers.Expel(kBegin + absl::Seconds(10)) == Ids{2});
  CHECK(strangers.size() == 0);
}

TEST_CASE("when all have sent too much together, those of the source that sent most go (ST3)") {
  Strangers strangers({.bytes = 1000, .bytes_of_all = 1500});
  Come(strangers, 1, "honest");
  strangers.SetBytes(1, 900);
  for (const Strangers::Id id : {2, 3, 4}) {
    Come(strangers, id, "hostile");
    strangers.SetBytes(id, id * 100);  // 900 as well, then 1000
  }
  strangers.SetBytes(2, 300);
  CHECK(strangers.Expel(kBegin) == Ids{4});
  CHECK(strangers.Expel(kBegin).empty());
}

TEST_CASE(
    "what strangers of a source have sent who have gone is forgiven in time; until then others of it wait (ST4)") {
  Strangers strangers({.bytes = 1000, .bytes_of_gone = 2000, .forgiven = 100});
  Come(strangers, 1, "hostile");
  strangers.SetBytes(1, 1001);
  CHECK(strangers.Expel(kBegin) == Ids{1});
  Come(strangers, 2, "hostile");
  strangers.SetBytes(2, 999);
  CHECK_FALSE(strangers.Add(3, "c", "hostile", kBegin));
  CHECK(strangers.Serve(kBegin).empty());  // one by one, while much is owed
  strangers.Ended(2, kBegin);
  CHECK(strangers.Serve(kBegin).empty());
  CHECK_FALSE(strangers.is_served(3));
  CHECK(strangers.Serve(kBegin + absl::Seconds(1)) == Ids{3});
  CHECK(strangers.is_served(3));
  strangers.LetIn(3);
  CHECK(strangers.Owed(kBegin + absl::Seconds(19)) == 100);  // 2000, at 100 a second
  CHECK_FALSE(strangers.is_quiet());
  CHECK(strangers.Owed(kBegin + absl::Seconds(20)) == 0);
  CHECK(strangers.is_quiet());
}

TEST_CASE("nobody waits longer than a second for what others of its source have sent (ST4)") {
  Strangers strangers({.bytes = 1000, .bytes_of_gone = 2000, .forgiven = 100});
  ComeAndGo(strangers, 1, "hostile", 1'000'000, kBegin);
  CHECK_FALSE(strangers.Add(2, "b", "hostile", kBegin));
  CHECK(strangers.Serve(kBegin + absl::Milliseconds(990)).empty());
  CHECK(strangers.Serve(kBegin + absl::Milliseconds(1010)) == Ids{2});
}

TEST_CASE("what those have sent who were let in counts for nobody (ST4)") {
  Strangers strangers({.bytes = 1000, .bytes_of_gone = 500, .forgiven = 1});
  Come(strangers, 1, "a");
  strangers.SetBytes(1, 1000);
  strangers.LetIn(1);
  CHECK(strangers.Owed(kBegin) == 0);
  Come(strangers, 2, "a");
}

TEST_CASE("a few sources that owe much keep nobody of another source waiting (ST4)") {
  Strangers strangers({.bytes_of_all_gone = 1 << 20});
  Strangers::Id id = 0;
  const std::vector<std::string> all = {"a", "b", "c"};
  for (const std::string& hostile : all) ComeAndGo(strangers, ++id, hostile, 1'000'000, kBegin);
  for (int i = 0; i < 300; ++i) CHECK_FALSE(strangers.Add(++id, "peer", all[i % all.size()], kBegin));
  CHECK(strangers.Serve(kBegin).empty());
  Come(strangers, ++id, "honest");
}

TEST_CASE("while many sources owe much the newest of those that owe least is served, one each turn (ST5)") {
  Strangers strangers({.bytes_of_all_gone = 2000, .forgiven_to_all = 1000, .turn = absl::Milliseconds(100)});
  for (Strangers::Id id = 1; id <= 20; ++id) Come(strangers, id, absl::StrCat("hostile ", id));
  for (Strangers::Id id = 1; id <= 20; ++id) {
    strangers.SetBytes(id, 1000);
    strangers.Ended(id, kBegin);
  }
  for (Strangers::Id id = 21; id <= 40; ++id) {
    CHECK_FALSE(strangers.Add(id, "peer", absl::StrCat("hostile ", id - 20), kBegin));
  }
  for (const Strangers::Id id : {41, 42}) {
    CHECK_FALSE(strangers.Add(id, "peer", absl::StrCat("honest ", id), kBegin));
  }
  CHECK(strangers.Serve(kBegin).empty());
  CHECK(strangers.Serve(kBegin + absl::Milliseconds(100)) == Ids{42});
  CHECK(strangers.Serve(kBegin + absl::Milliseconds(199)).empty());
  CHECK(strangers.Serve(kBegin + absl::Milliseconds(200)) == Ids{41});
}

TEST_CASE("while much is owed who is served goes for no newcomer as long as others wait (ST5)") {
  Strangers strangers({.most = 2, .moment = absl::Milliseconds(200), .bytes_of_all_gone = 4000, .forgiven_to_all = 1});
  ComeAndGo(strangers, 1, "hostile", 4000, kBegin);
  CHECK_FALSE(strangers.Add(2, "peer", "honest", kBegin));
  CHECK(strangers.Serve(kBegin + absl::Milliseconds(100)) == Ids{2});
  const base::Instant later = kBegin + absl::Seconds(1);
  CHECK_FALSE(strangers.Add(3, "peer", "first", later));
  CHECK_FALSE(strangers.HasRoom(later));
  CHECK(strangers.Add(4, "peer", "second", later + absl::Milliseconds(200)) == 3);
  CHECK(strangers.is_served(2));
}

TEST_CASE("a source that has most since two of it are served loses none for a newcomer while others wait (ST5)") {
  Strangers strangers({.most = 4, .moment = absl::Seconds(9), .bytes_of_all_gone = 4000, .forgiven_to_all = 1});
  ComeAndGo(strangers, 1, "hostile", 4000, kBegin);
  CHECK_FALSE(strangers.Add(2, "peer", "honest", kBegin));
  CHECK(strangers.Serve(kBegin + absl::Milliseconds(100)) == Ids{2});
  CHECK_FALSE(strangers.Add(3, "peer", "honest", kBegin + absl::Milliseconds(100)));
  CHECK(strangers.Serve(kBegin + absl::Milliseconds(200)) == Ids{3});
  const base::Instant later = kBegin + absl::Milliseconds(250);
  CHECK_FALSE(strangers.Add(4, "peer", "first", later));
  CHECK_FALSE(strangers.Add(5, "peer", "second", later));
  CHECK(strangers.Add(6, "peer", "third", later) == 6);  // it alone is new, and each of the others has one
  CHECK(strangers.is_served(2));
  CHECK(strangers.is_served(3));
}

TEST_CASE("the oldest stranger of the source that has most goes when descriptors are short") {
  Strangers strangers({});
  CHECK_FALSE(strangers.ExpelOldest(kBegin));
  Come(strangers, 1, "a");
  Come(strangers, 2, "b");
  Come(strangers, 3, "b");
  CHECK(strangers.ExpelOldest(kBegin) == 2);
  CHECK(strangers.ExpelOldest(kBegin) == 1);
  CHECK(strangers.ids() == Ids{3});
}

}  // namespace
}  // namespace twinkle::rpc

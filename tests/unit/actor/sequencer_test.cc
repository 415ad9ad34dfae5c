#include "runtime/actor/sequencer.h"

#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::actor {
namespace {

using Effects = SequencerEffects;

constexpr rpc::ProcessId kA = 10;
constexpr rpc::ProcessId kB = 11;
constexpr rpc::ProcessId kC = 12;
constexpr bool kExclusive = true;

// Shared by A, who used `used` numbers while it had them all, and B, who was granted one.
Sequencer Shared(size_t members, uint64_t used) {
  Sequencer sequencer(members);
  sequencer.OnRequest(kA, 1);
  sequencer.OnRequest(kB, 1);
  sequencer.OnRecalled(kA, used + 1);
  return sequencer;
}

TEST_CASE("the first caller gets all numbers at once (SE1)") {
  Sequencer sequencer(2);
  CHECK(sequencer.OnRequest(kA, 3) == Effects{GrantNumbers{kA, 1, 0, kExclusive}});
}

TEST_CASE("a holder that asked again before it heard of its grant needs nothing more") {
  Sequencer sequencer(2);
  sequencer.OnRequest(kA, 1);
  CHECK(sequencer.OnRequest(kA, 4).empty());
}

TEST_CASE("who has numbers or waits for some is known") {
  Sequencer sequencer(2);
  CHECK(sequencer.Callers().empty());
  sequencer.OnRequest(kA, 1);
  CHECK(sequencer.Callers() == std::vector<rpc::ProcessId>{kA});
  sequencer.OnRequest(kB, 1);
  CHECK(sequencer.Callers() == std::vector<rpc::ProcessId>{kA, kB});
}

TEST_CASE("a member that lies about the last number costs no more than a long outbox (SE2)") {
  Sequencer sequencer(2);
  sequencer.OnRequest(kA, 1);
  sequencer.OnLost(kA);
  sequencer.OnLast(kA, 0);
  const Effects settled = sequencer.OnLast(kA, uint64_t{1} << 62);
  REQUIRE(settled.size() == 1);
  CHECK(std::get<SkipNumbers>(settled[0]).numbers.size() == 65536);
}

TEST_CASE("the second caller makes the holder be recalled, once") {
  Sequencer sequencer(2);
  sequencer.OnRequest(kA, 1);
  CHECK(sequencer.OnRequest(kB, 2) == Effects{RecallNumbers{kA}});
  CHECK(sequencer.OnRequest(kC, 1).empty());
  CHECK(sequencer.OnRequest(kB, 1).empty());
}

TEST_CASE("after the recall numbers go to requests in the order made, from the first unused on (SE1, SE3)") {
  Sequencer sequencer(2);
  sequencer.OnRequest(kA, 1);
  sequencer.OnRequest(kB, 2);
  sequencer.OnRequest(kC, 1);
  sequencer.OnRequest(kA, 1);  // it has more to do while it is recalled
  sequencer.OnRequest(kB, 3);
  CHECK(sequencer.OnRecalled(kA, 8) == Effects{GrantNumbers{kB, 8, 2, false}, GrantNumbers{kC, 10, 1, false},
                                               GrantNumbers{kA, 11, 1, false}, GrantNumbers{kB, 12, 3, false}});
  CHECK(sequencer.OnRequest(kC, 2) == Effects{GrantNumbers{kC, 15, 2, false}});
  CHECK(sequencer.OnRequest(kA, 1) == Effects{GrantNumbers{kA, 17, 1, false}});
}

TEST_CASE("a number of numbers that no caller needs takes no memory, and beyond all numbers gets nothing") {
  constexpr uint64_t kMany = uint64_t{1} << 60;
  Sequencer sequencer = Shared(2, 1);
  CHECK(sequencer.OnRequest(kB, kMany) == Effects{GrantNumbers{kB, 3, kMany, false}});
  CHECK(sequencer.OnRequest(kB, ~uint64_t{0}).empty());
  CHECK(sequencer.OnRequest(kC, 1) == Effects{GrantNumbers{kC, 3 + kMany, 1, false}});
}

TEST_CASE("only the holder's answer to the recall counts, and only a sensible one (SE1)") {
  Sequencer sequencer(2);
  sequencer.OnRequest(kA, 1);
  CHECK(sequencer.OnRecalled(kA, 5).empty());  // nobody asked
  sequencer.OnRequest(kB, 1);
  CHECK(sequencer.OnRecalled(kB, 5).empty());
  CHECK(sequencer.OnRecalled(kA, 0).empty());
  CHECK(sequencer.OnRecalled(kA, 3) == Effects{GrantNumbers{kB, 3, 1, false}});
  CHECK(sequencer.OnRecalled(kA, 9).empty());
}

// ---- the holder is lost ------------------------------------------------------------------------
TEST_CASE("of a lost holder's numbers those that arrived everywhere run, later ones are skipped (SE2)") {
  Sequencer sequencer(3);
  sequencer.OnRequest(kA, 1);
  CHECK(sequencer.OnLost(kA) == Effects{AskLast{kA}});
  CHECK(sequencer.OnLast(kA, 7).empty());
  CHECK(sequencer.OnLast(kA, 5).empty());
  CHECK(sequencer.OnLast(kA, 8) == Effects{SkipNumbers{{6, 7, 8}}});
  CHECK(sequencer.OnRequest(kB, 1) == Effects{GrantNumbers{kB, 9, 1, false}});
}

TEST_CASE("a lost holder whose calls all arrived everywhere leaves nothing to skip (SE2)") {
  Sequencer sequencer(2);
  sequencer.OnRequest(kA, 1);
  sequencer.OnLost(kA);
  sequencer.OnLast(kA, 4);
  CHECK(sequencer.OnLast(kA, 4).empty());
  CHECK(sequencer.OnRequest(kB, 1) == Effects{GrantNumbers{kB, 5, 1, false}});
}

TEST_CASE("a lost holder that used none leaves all numbers to the next (SE2)") {
  Sequencer sequencer(2);
  sequencer.OnRequest(kA, 1);
  sequencer.OnLost(kA);
  sequencer.OnLast(kA, 0);
  CHECK(sequencer.OnLast(kA, 0).empty());
  CHECK(sequencer.OnRequest(kB, 1) == Effects{GrantNumbers{kB, 1, 1, false}});
}

TEST_CASE("those who wait for a recalled holder go on when it is lost instead (SE2, SE3)") {
  Sequencer sequencer(2);
  sequencer.OnRequest(kA, 1);
  sequencer.OnRequest(kB, 2);
  CHECK(sequencer.OnLost(kA) == Effects{AskLast{kA}});
  CHECK(sequencer.OnRequest(kC, 1).empty());  // not before it is settled
  CHECK(sequencer.OnLast(kA, 2).empty());
  CHECK(sequencer.OnLast(kA, 1) ==
        Effects{SkipNumbers{{2}}, GrantNumbers{kB, 3, 2, false}, GrantNumbers{kC, 5, 1, false}});
}

TEST_CASE("who asks while a lost holder is settled waits for that (SE2)") {
  Sequencer sequencer(1);
  sequencer.OnRequest(kA, 1);
  sequencer.OnLost(kA);
  for (const SequencerEffect& effect : sequencer.OnRequest(kB, 1)) {
    CHECK_FALSE(std::holds_alternative<GrantNumbers>(effect));
  }
  CHECK(sequencer.OnLast(kA, 3) == Effects{GrantNumbers{kB, 4, 1, false}});
}

// ---- one of several is lost --------------------------------------------------------------------
TEST_CASE("numbers that a lost caller was granted and did not use everywhere are skipped (SE2)") {
  Sequencer sequencer = Shared(2, 0);  // B has 1
  sequencer.OnRequest(kB, 3);          // 2, 3, 4
  sequencer.OnRequest(kC, 1);          // 5
  sequencer.OnRequest(kB, 1);          // 6
  CHECK(sequencer.OnLost(kB) == Effects{AskLast{kB}});
  CHECK(sequencer.OnRequest(kC, 1).empty());
  sequencer.OnLast(kB, 3);
  CHECK(sequencer.OnLast(kB, 2) == Effects{SkipNumbers{{3, 4, 6}}, GrantNumbers{kC, 7, 1, false}});
}

TEST_CASE("what a holder used before it shared is settled as well when it is lost (SE2)") {
  Sequencer sequencer = Shared(2, 4);  // A has used 1 to 4, B has 5
  CHECK(sequencer.OnLost(kA) == Effects{AskLast{kA}});
  sequencer.OnLast(kA, 4);
  CHECK(sequencer.OnLast(kA, 2) == Effects{SkipNumbers{{3, 4}}});
}

TEST_CASE("requests of a lost caller that were not granted are forgotten (SE2)") {
  Sequencer sequencer(2);
  sequencer.OnRequest(kA, 1);
  sequencer.OnRequest(kB, 5);
  sequencer.OnRequest(kC, 1);
  CHECK(sequencer.OnLost(kB).empty());  // it never had a number
  CHECK(sequencer.OnRecalled(kA, 3) == Effects{GrantNumbers{kC, 3, 1, false}});
}

TEST_CASE("two lost callers are settled independently, and nobody is granted anything before both are (SE2)") {
  Sequencer sequencer = Shared(2, 0);  // B has 1
  sequencer.OnRequest(kC, 1);          // 2
  sequencer.OnLost(kB);
  sequencer.OnLost(kC);
  CHECK(sequencer.OnRequest(kA, 1).empty());
  sequencer.OnLast(kC, 0);
  sequencer.OnLast(kB, 1);
  CHECK(sequencer.OnLast(kC, 0) == Effects{SkipNumbers{{2}}});
  CHECK(sequencer.OnLast(kB, 1) == Effects{GrantNumbers{kA, 3, 1, false}});
}

TEST_CASE("callers that never asked are nobody's concern, nor are answers about them") {
  Sequencer sequencer = Shared(1, 0);
  CHECK(sequencer.OnLost(kC).empty());
  CHECK(sequencer.OnLast(kC, 7).empty());
  CHECK(sequencer.OnLast(kB, 1).empty());
}

}  // namespace
}  // namespace twinkle::actor

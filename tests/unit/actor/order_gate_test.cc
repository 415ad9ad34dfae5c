#include "runtime/actor/order_gate.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/random.h"

namespace twinkle::actor {
namespace {

using tests::Below;
using tests::OneIn;
using tests::Random;
using Names = OrderGate<std::string>::Items;

TEST_CASE("numbered items come out in the order of their numbers (OG1)") {
  OrderGate<std::string> gate;
  CHECK(gate.Arrive(2, "two").empty());
  CHECK(gate.Arrive(4, "four").empty());
  CHECK(gate.Arrive(1, "one") == Names{"one", "two"});
  CHECK(gate.next() == 3);
  CHECK(gate.Arrive(3, "three") == Names{"three", "four"});
  CHECK(gate.Arrive(5, "five") == Names{"five"});
}

TEST_CASE("skipped numbers are left out, whenever they are skipped (OG1)") {
  OrderGate<std::string> gate;
  CHECK(gate.Skip(2).empty());
  CHECK(gate.Arrive(3, "three").empty());
  CHECK(gate.Arrive(1, "one") == Names{"one", "three"});
  CHECK(gate.Arrive(5, "five").empty());
  CHECK(gate.Skip(4) == Names{"five"});
  CHECK(gate.Skip(1).empty());  // it has passed
  CHECK(gate.next() == 6);
  CHECK(gate.Skip(6).empty());
  CHECK(gate.Skip(6).empty());
  CHECK(gate.Arrive(7, "seven") == Names{"seven"});
}

TEST_CASE("an item whose number is skipped while it waits does not come out, nor one that comes later (OG1)") {
  OrderGate<std::shared_ptr<int>> gate;
  const auto item = std::make_shared<int>();
  CHECK(gate.Arrive(2, item).empty());
  CHECK(gate.Skip(2).empty());
  CHECK(item.use_count() == 1);
  CHECK(gate.Skip(1).empty());
  CHECK(gate.Arrive(1, item).empty());
  CHECK(gate.Arrive(2, item).empty());
  CHECK(item.use_count() == 1);
  CHECK(gate.next() == 3);
}

TEST_CASE("an item without a number comes right after the number that it names (OG2)") {
  OrderGate<std::string> gate;
  CHECK(gate.ArriveAfter(0, "at once") == Names{"at once"});
  CHECK(gate.ArriveAfter(2, "after two").empty());
  CHECK(gate.Arrive(3, "three").empty());
  CHECK(gate.Arrive(2, "two").empty());
  CHECK(gate.Arrive(1, "one") == Names{"one", "two", "after two", "three"});
  CHECK(gate.ArriveAfter(3, "after three") == Names{"after three"});
  CHECK(gate.ArriveAfter(1, "late") == Names{"late"});
}

TEST_CASE("items after the same number come in the order in which they arrived (OG3)") {
  OrderGate<std::string> gate;
  for (const char* name : {"a", "b", "c"}) CHECK(gate.ArriveAfter(1, name).empty());
  CHECK(gate.Arrive(1, "one") == Names{"one", "a", "b", "c"});
}

TEST_CASE("items after a number that is skipped come when it is (OG2)") {
  OrderGate<std::string> gate;
  CHECK(gate.ArriveAfter(1, "a").empty());
  CHECK(gate.ArriveAfter(2, "b").empty());
  CHECK(gate.Skip(2).empty());
  CHECK(gate.Skip(1) == Names{"a", "b"});
}

TEST_CASE("items may be movable only") {
  OrderGate<std::unique_ptr<int>> gate;
  CHECK(gate.Arrive(2, std::make_unique<int>(2)).empty());
  CHECK(gate.ArriveAfter(1, std::make_unique<int>(15)).empty());
  const auto out = gate.Arrive(1, std::make_unique<int>(1));
  REQUIRE(out.size() == 3);
  CHECK(*out[1] == 15);
}

// ---- model -------------------------------------------------------------------------------------
struct Item {
  int sender = 0;
  int position = 0;     // in the sender's stream
  uint64_t number = 0;  // 0: none
  uint64_t after = 0;   // the sender's number before it
  bool skipped = false;
};

// What each sender sends, in its order: its share of the numbers 1 … count, some of them skipped, and items without one
// between them.
std::vector<std::deque<Item>> RandomStreams(int senders, int count, Random& random) {
  std::vector<std::deque<Item>> streams(static_cast<size_t>(senders));
  std::vector<uint64_t> last(static_cast<size_t>(senders), 0);
  const auto add = [&](int sender, uint64_t number, bool skipped) {
    std::deque<Item>& stream = streams[static_cast<size_t>(sender)];
    stream.push_back({sender, static_cast<int>(stream.size()), number, last[static_cast<size_t>(sender)], skipped});
  };
  for (int number = 1; number <= count; ++number) {
    const int sender = Below(random, senders);
    for (int i = Below(random, 3); i > 0; --i) add(Below(random, senders), 0, false);
    add(sender, static_cast<uint64_t>(number), OneIn(random, 5));
    last[static_cast<size_t>(sender)] = static_cast<uint64_t>(number);
  }
  return streams;
}

TEST_CASE("streams of several senders, mixed at random, come out in one order that is each one's (OG1-OG3)") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    const int senders = 1 + Below(random, 4);
    std::vector<std::deque<Item>> streams = RandomStreams(senders, Below(random, 30), random);
    const auto sent = streams;
    OrderGate<Item> gate;
    std::vector<Item> out;
    const auto take = [&](const OrderGate<Item>::Items& released) {
      out.insert(out.end(), released.begin(), released.end());
    };
    while (std::any_of(streams.begin(), streams.end(), [](const auto& stream) { return !stream.empty(); })) {
      std::deque<Item>& stream = streams[static_cast<size_t>(Below(random, senders))];
      if (stream.empty()) continue;
      const Item item = stream.front();
      stream.pop_front();
      if (item.number == 0) {
        take(gate.ArriveAfter(item.after, item));
      } else {
        take(item.skipped ? gate.Skip(item.number) : gate.Arrive(item.number, item));
      }
    }
    uint64_t number = 0;
    std::vector<std::vector<int>> positions(static_cast<size_t>(senders));
    for (const Item& item : out) {
      if (item.number != 0) {
        CHECK(item.number > number);  // OG1
        number = item.number;
      }
      CHECK(item.after <= gate.next());
      positions[static_cast<size_t>(item.sender)].push_back(item.position);
    }
    for (int sender = 0; sender < senders; ++sender) {  // OG2, OG3: each sender's, complete and in its order
      std::vector<int> expected;
      for (const Item& item : sent[static_cast<size_t>(sender)]) {
        if (!item.skipped) expected.push_back(item.position);
      }
      CHECK(positions[static_cast<size_t>(sender)] == expected);
    }
  }
}

}  // namespace
}  // namespace twinkle::actor

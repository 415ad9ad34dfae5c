#include "runtime/object/object_table.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/random.h"

namespace twinkle::object {
namespace {

using tests::Below;
using tests::Random;

codec::Described Text(const std::string& text) { return codec::Hold(text); }

TEST_CASE("an object is there as long as somebody refers to it (OT1)") {
  ObjectTable table;
  const uint64_t id = table.Insert(Text("a"), 3);
  CHECK(id != 0);
  REQUIRE(table.Find(id).ok());
  CHECK(*static_cast<const std::string*>(table.Find(id)->value.value.get()) == "a");
  REQUIRE(table.Retain(id, 4).ok());
  REQUIRE(table.Retain(id, 4).ok());
  table.Release(id, 3);
  table.Release(id, 4);
  CHECK(table.Find(id).ok());
  table.Release(id, 4);
  CHECK(absl::IsNotFound(table.Find(id).status()));
  CHECK(absl::IsNotFound(table.Retain(id, 4)));
  CHECK(table.size() == 0);
}

TEST_CASE("the table lets go of the value with the last reference (OT1)") {
  ObjectTable table;
  auto value = std::make_shared<std::string>("a");
  const std::weak_ptr<std::string> watched = value;
  const uint64_t id = table.Insert({&internal::kType<std::string>, std::move(value)}, 3);
  const codec::Described reader = table.Find(id)->value;
  table.Release(id, 3);
  CHECK_FALSE(watched.expired());  // somebody is still reading it
  CHECK(reader.value != nullptr);
}

TEST_CASE("a reference can only be given back by who has it (OT1)") {
  ObjectTable table;
  const uint64_t id = table.Insert(Text("a"), 3);
  table.Release(id, 4);
  table.Release(id + 1, 3);
  CHECK(table.Find(id).ok());
  table.Release(id, 3);
  table.Release(id, 3);
  CHECK(table.size() == 0);
}

TEST_CASE("ids are never used again (OT2)") {
  ObjectTable table;
  const uint64_t first = table.Insert(Text("a"), 3);
  table.Release(first, 3);
  const uint64_t second = table.Insert(Text("b"), 3);
  CHECK(second != first);
  CHECK(absl::IsNotFound(table.Find(first).status()));
}

TEST_CASE("the references of a process go together when it is lost (OT3)") {
  ObjectTable table;
  const uint64_t only_its = table.Insert(Text("a"), 3);
  const uint64_t shared = table.Insert(Text("b"), 3);
  REQUIRE(table.Retain(shared, 4).ok());
  REQUIRE(table.Retain(shared, 3).ok());
  table.DropHolder(3);
  CHECK(absl::IsNotFound(table.Find(only_its).status()));
  CHECK(table.Find(shared).ok());
  table.Release(shared, 3);  // late: it was dropped
  CHECK(table.Find(shared).ok());
  table.DropHolder(3);
  table.DropHolder(4);
  CHECK(table.size() == 0);
}

TEST_CASE("random references: the table agrees with one that counts (OT1-OT3)") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  Random random(seed);
  ObjectTable table;
  std::map<uint64_t, std::map<rpc::ProcessId, int>> counts;  // of the objects that should be there
  std::vector<uint64_t> ids;
  for (int step = 0; step < 5000; ++step) {
    const rpc::ProcessId process = static_cast<rpc::ProcessId>(Below(random, 4));
    const uint64_t id = ids.empty() ? 1 : ids[random() % ids.size()];
    const int kind = Below(random, 100);
    if (kind < 30) {
      ids.push_back(table.Insert(Text("x"), process));
      REQUIRE(counts.emplace(ids.back(), std::map<rpc::ProcessId, int>{{process, 1}}).second);
    } else if (kind < 55) {
      CHECK(table.Retain(id, process).ok() == (counts.count(id) != 0));
      if (counts.count(id) != 0) ++counts[id][process];
    } else if (kind < 98) {
      table.Release(id, process);
      if (counts.count(id) != 0 && counts[id].count(process) != 0 && --counts[id][process] == 0) {
        counts[id].erase(process);
      }
    } else {
      table.DropHolder(process);
      for (auto& [object, holders] : counts) holders.erase(process);
    }
    for (auto object = counts.begin(); object != counts.end();) {
      object = object->second.empty() ? counts.erase(object) : std::next(object);
    }
    REQUIRE(table.size() == counts.size());
    CHECK(table.Find(id).ok() == (counts.count(id) != 0));
  }
}

}  // namespace
}  // namespace twinkle::object

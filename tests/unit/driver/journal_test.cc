// What every journal must do, and what the one that survives does besides.
#include "driver/journal.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::driver {
namespace {

using Kind = Record::Kind;

class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "twinkle-journal-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

const std::vector<Record> kSome = {{Kind::kNodeJoined, 3, "a"},
                                   {Kind::kJobSubmitted, 7, "char_lm"},
                                   {Kind::kJobSubmitted, 8, "an 'odd' name\n"},
                                   {Kind::kComponentAdded, 5, "Policy"},
                                   {Kind::kJobEnded, 7, ""}};

void KeepsRecords(Journal& journal) {
  REQUIRE(journal.Append({}, 1).ok());
  CHECK(journal.Last(10)->empty());
  REQUIRE(journal.Append(kSome, 1).ok());
  REQUIRE(journal.Append({{Kind::kNodeGone, 3, "why"}}, 2).ok());
  std::vector<Record> all = kSome;
  all.push_back({Kind::kNodeGone, 3, "why"});
  CHECK(*journal.Last(10) == all);
  CHECK(*journal.Last(2) == std::vector<Record>(all.end() - 2, all.end()));
}

TEST_CASE("a journal keeps records in their order") {
  KeepsRecords(*NewMemoryJournal());
  const Scratch scratch;
  KeepsRecords(**OpenSqliteJournal((scratch.path / "new").string()));
}

TEST_CASE("what was appended is there after a restart: numbers that were given, jobs that had not ended") {
  const Scratch scratch;
  {
    const auto journal = OpenSqliteJournal(scratch.path.string());
    REQUIRE(journal.ok());
    CHECK((*journal)->Restore()->last_job == 0);
    REQUIRE((*journal)->Append(kSome, 1).ok());
  }
  const auto journal = OpenSqliteJournal(scratch.path.string());
  REQUIRE(journal.ok());
  const auto restored = (*journal)->Restore();
  REQUIRE(restored.ok());
  CHECK(restored->last_node == 3);
  CHECK(restored->last_job == 8);
  CHECK(restored->last_component == 5);
  CHECK(restored->open_jobs == std::vector<uint64_t>{8});
  CHECK(*(*journal)->Last(10) == kSome);
}

TEST_CASE("one folder is one driver's") {
  const Scratch scratch;
  const auto first = OpenSqliteJournal(scratch.path.string());
  REQUIRE(first.ok());
  REQUIRE((*first)->Append(kSome, 1).ok());
  const auto second = OpenSqliteJournal(scratch.path.string());
  CHECK(absl::IsFailedPrecondition(second.status()));
}

TEST_CASE("a file that is no journal, or cannot be made, is told of") {
  const Scratch scratch;
  std::ofstream(scratch.path / "journal.sqlite") << std::string(5000, 'x');
  CHECK_FALSE(OpenSqliteJournal(scratch.path.string()).ok());
  CHECK_FALSE(OpenSqliteJournal("/proc/nowhere").ok());
}

}  // namespace
}  // namespace twinkle::driver

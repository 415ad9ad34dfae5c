// What every journal must do, and what the one on a disk does besides.
#include "driver/journal.h"

#include <absl/strings/match.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/folder.h"
#include "tests/unit/driver/fake_journal.h"

namespace twinkle::driver {
namespace {

namespace fs = std::filesystem;
using Kind = Record::Kind;

const std::vector<Record> kSome = {{Kind::kNodeJoined, 3, "a"},
                                   {Kind::kJobSubmitted, 7, "char_lm"},
                                   {Kind::kJobSubmitted, 8, "an 'odd' name\n"},
                                   {Kind::kComponentAdded, 5, "Policy"},
                                   {Kind::kJobEnded, 7, ""}};

// ---- conformance
// A journal and its disk.
class Fixture {
 public:
  virtual ~Fixture() = default;
  // The journal as it is on the disk; one at a time.
  virtual std::unique_ptr<Journal> Open() = 0;
  // Runs that while nothing can be written; false: this one has no disk that could fail.
  virtual bool WhileFailing(const std::function<void()>& run) = 0;
};

class MemoryFixture final : public Fixture {
 public:
  std::unique_ptr<Journal> Open() override { return NewMemoryJournal(); }
  bool WhileFailing(const std::function<void()>&) override { return false; }
};

class FakeFixture final : public Fixture {
 public:
  std::unique_ptr<Journal> Open() override { return std::make_unique<FakeJournal>(disk_); }
  bool WhileFailing(const std::function<void()>& run) override {
    disk_->failing = absl::UnavailableError("the disk fails");
    run();
    disk_->failing = absl::OkStatus();
    return true;
  }

 private:
  const std::shared_ptr<FakeJournal::Disk> disk_ = std::make_shared<FakeJournal::Disk>();
};

class SqliteFixture final : public Fixture {
 public:
  std::unique_ptr<Journal> Open() override {
    auto journal = OpenSqliteJournal(scratch_ / "state");
    REQUIRE(journal.ok());
    return *std::move(journal);
  }
  // No file may grow.
  bool WhileFailing(const std::function<void()>& run) override {
    const auto before = std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit none{1, limit.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
    run();
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, before);
    return true;
  }

 private:
  const tests::Folder scratch_;
};

std::vector<std::unique_ptr<Fixture>> Fixtures() {
  std::vector<std::unique_ptr<Fixture>> all;
  all.push_back(std::make_unique<MemoryFixture>());
  all.push_back(std::make_unique<FakeFixture>());
  all.push_back(std::make_unique<SqliteFixture>());
  return all;
}

TEST_CASE("a journal keeps records in their order") {
  for (const auto& fixture : Fixtures()) {
    const auto journal = fixture->Open();
    REQUIRE(journal->Append({}, 1).ok());
    CHECK(journal->Last(10)->empty());
    REQUIRE(journal->Append(kSome, 1).ok());
    REQUIRE(journal->Append({{Kind::kNodeGone, 3, "why"}}, 2).ok());
    std::vector<Record> all = kSome;
    all.push_back({Kind::kNodeGone, 3, "why"});
    CHECK(*journal->Last(10) == all);
    CHECK(*journal->Last(2) == std::vector<Record>(all.end() - 2, all.end()));
  }
}

TEST_CASE("what could not be written is said, and is not there; what comes after is, once the disk takes it again") {
  for (const auto& fixture : Fixtures()) {
    auto journal = fixture->Open();
    REQUIRE(journal->Append(kSome, 1).ok());
    absl::Status refused;
    // More than fits in a page: also where the file's end has room.
    const std::vector<Record> lost(100, {Kind::kJobSubmitted, 9, std::string(1000, 'x')});
    if (!fixture->WhileFailing([&] { refused = journal->Append(lost, 2); })) continue;
    INFO(refused.message());
    CHECK((absl::IsUnavailable(refused) || absl::IsResourceExhausted(refused)));
    CHECK(*journal->Last(10) == kSome);
    REQUIRE(journal->Append({{Kind::kJobEnded, 8, "late"}}, 3).ok());
    journal.reset();
    journal = fixture->Open();
    CHECK(journal->Restore()->last_job == 8);
    CHECK(journal->Restore()->open_jobs.empty());
    CHECK(journal->Last(1)->at(0).detail == "late");
  }
}

TEST_CASE("what was appended is there after a restart: numbers that were given, jobs that had not ended") {
  for (const auto& fixture : Fixtures()) {
    if (!fixture->WhileFailing([] {})) continue;  // it forgets with the process
    CHECK(fixture->Open()->Restore()->last_job == 0);
    REQUIRE(fixture->Open()->Append(kSome, 1).ok());
    const auto journal = fixture->Open();
    const auto restored = journal->Restore();
    REQUIRE(restored.ok());
    CHECK(restored->last_node == 3);
    CHECK(restored->last_job == 8);
    CHECK(restored->last_component == 5);
    CHECK(restored->open_jobs == std::vector<uint64_t>{8});
    CHECK(*journal->Last(10) == kSome);
  }
}

// ---- the one on a disk
TEST_CASE("one folder is one driver's, and nobody else's to read") {
  const tests::Folder scratch;
  const std::string folder = scratch / "state";
  const auto first = OpenSqliteJournal(folder);
  REQUIRE(first.ok());
  REQUIRE((*first)->Append(kSome, 1).ok());
  for (const auto& file : fs::directory_iterator(folder)) {
    INFO(file.path().string());
    struct stat facts {};
    REQUIRE(::stat(file.path().c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777U) == 0600U);
  }
  const auto second = OpenSqliteJournal(folder);
  CHECK(absl::IsFailedPrecondition(second.status()));
}

TEST_CASE("a journal of before that others could read is theirs no more") {
  const tests::Folder scratch;
  { REQUIRE((*OpenSqliteJournal(scratch.path()))->Append(kSome, 1).ok()); }
  const fs::path file = scratch / "journal.sqlite";
  fs::permissions(file, fs::perms::all);
  const auto journal = OpenSqliteJournal(scratch.path());
  REQUIRE(journal.ok());
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("a folder that is removed underneath is noticed") {
  const tests::Folder scratch;
  const fs::path folder = scratch / "state";
  const auto journal = OpenSqliteJournal(folder.string());
  REQUIRE((*journal)->Append(kSome, 1).ok());
  fs::remove_all(folder);
  const absl::Status lost = (*journal)->Append(kSome, 2);
  CHECK(absl::IsUnavailable(lost));
  CHECK(absl::StrContains(lost.message(), folder.string()));
  CHECK(absl::StrContains(lost.message(), "was removed or replaced"));
  fs::create_directories(folder);
  std::ofstream(folder / "journal.sqlite") << "another";
  CHECK(absl::IsUnavailable((*journal)->Append(kSome, 3)));
}

TEST_CASE("a file that is no journal, or cannot be made, is told of") {
  const tests::Folder scratch;
  std::ofstream(scratch / "journal.sqlite") << std::string(5000, 'x');
  CHECK(absl::IsDataLoss(OpenSqliteJournal(scratch.path()).status()));
  const absl::Status nowhere = OpenSqliteJournal("/proc/nowhere").status();
  CHECK(absl::IsUnavailable(nowhere));
  CHECK(absl::StrContains(nowhere.message(), "/proc/nowhere"));
  CHECK_FALSE(OpenSqliteJournal(scratch / "journal.sqlite").ok());
}

TEST_CASE("what cannot be read is no empty journal: numbers do not begin anew") {
  const tests::Folder scratch;
  { REQUIRE((*OpenSqliteJournal(scratch.path()))->Append(kSome, 1).ok()); }
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open((scratch / "journal.sqlite").c_str(), &database) == SQLITE_OK);
  REQUIRE(sqlite3_exec(database, "ALTER TABLE record RENAME COLUMN id TO other", nullptr, nullptr, nullptr) ==
          SQLITE_OK);
  sqlite3_close(database);
  const auto journal = OpenSqliteJournal(scratch.path());
  CHECK_FALSE((journal.ok() && (*journal)->Restore().ok()));
}

TEST_CASE("old records go; numbers, and jobs that have not ended, do not") {
  const tests::Folder scratch;
  const auto journal = OpenSqliteJournal(scratch.path(), {.kept = 20});
  REQUIRE((*journal)->Append({{Kind::kNodeJoined, 1, "a"}, {Kind::kJobSubmitted, 1, "long"}}, 1).ok());
  for (uint64_t job = 2; job <= 50; ++job) {
    REQUIRE((*journal)->Append({{Kind::kJobSubmitted, job, "short"}, {Kind::kJobEnded, job, ""}}, 1).ok());
  }
  CHECK((*journal)->Last(1000)->size() < 50);
  const auto restored = (*journal)->Restore();
  CHECK(restored->last_node == 1);
  CHECK(restored->last_job == 50);
  CHECK(restored->open_jobs == std::vector<uint64_t>{1});
}

TEST_CASE("old records go also where no driver lives long enough to write many") {
  const tests::Folder scratch;
  for (uint64_t job = 1; job <= 50; ++job) {
    const auto journal = OpenSqliteJournal(scratch.path(), {.kept = 20});
    REQUIRE((*journal)->Append({{Kind::kJobSubmitted, job, "short"}, {Kind::kJobEnded, job, ""}}, 1).ok());
  }
  const auto journal = OpenSqliteJournal(scratch.path(), {.kept = 20});
  CHECK((*journal)->Last(1000)->size() < 30);
  CHECK((*journal)->Restore()->last_job == 50);
}

}  // namespace
}  // namespace twinkle::driver

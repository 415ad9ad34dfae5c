#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "driver/journal.h"
#include "driver/sqlite_statement.h"
#include "runtime/base/fd.h"
#include "runtime/base/status.h"

namespace twinkle::driver {
namespace {

constexpr int kVersion = 1;  // of the tables' layout

absl::StatusOr<Record::Kind> KindFrom(int64_t number) {
  if (number >= 0 && number <= static_cast<int64_t>(Record::Kind::kComponentRemoved)) {
    return static_cast<Record::Kind>(number);
  }
  return absl::DataLossError(absl::StrCat("there is no kind ", number, " of records"));
}

class SqliteJournal final : public Journal {
 public:
  SqliteJournal(Database database, std::string file, const struct stat& facts, SqliteJournalOptions options)
      : database_(std::move(database)),
        file_(std::move(file)),
        device_(facts.st_dev),
        inode_(facts.st_ino),
        options_(options) {}

  // Makes the tables, and takes the lock that keeps other drivers out. Each commit is on the disk when it returns.
  absl::Status Prepare() {
    constexpr char kTable[] =
        "CREATE TABLE IF NOT EXISTS record(number INTEGER PRIMARY KEY, unix_ms INTEGER NOT NULL, "
        "kind INTEGER NOT NULL, id INTEGER NOT NULL, detail TEXT NOT NULL)";
    for (const char* sql : {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                            kTable, "CREATE INDEX IF NOT EXISTS record_by_kind ON record(kind, id)"}) {
      TWINKLE_RETURN_IF_ERROR(Run(sql));
    }
    TWINKLE_ASSIGN_OR_RETURN(appended_, NumberFrom("SELECT count(*) FROM record"));
    TWINKLE_ASSIGN_OR_RETURN(const int64_t found, NumberFrom("PRAGMA user_version"));
    if (found == 0) return Run(absl::StrCat("PRAGMA user_version=", kVersion).c_str());
    if (found == kVersion) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(file_, " was written by another version of Twinkle (", found, ", not ", kVersion, ")"));
  }

  // Others hold the file for moments only: the lock is this driver's.
  absl::Status Append(const std::vector<Record>& records, int64_t unix_ms) override {
    absl::Status written = TryAppend(records, unix_ms);
    return absl::IsFailedPrecondition(written) ? absl::UnavailableError(written.message()) : written;
  }

  absl::StatusOr<Restored> Restore() override {
    Restored restored;
    TWINKLE_ASSIGN_OR_RETURN(restored.last_node, Highest(Record::Kind::kNodeJoined));
    TWINKLE_ASSIGN_OR_RETURN(restored.last_job, Highest(Record::Kind::kJobSubmitted));
    TWINKLE_ASSIGN_OR_RETURN(restored.last_component, Highest(Record::Kind::kComponentAdded));
    Statement open(
        database_.get(),
        "SELECT id FROM record WHERE kind=?1 AND id NOT IN (SELECT id FROM record WHERE kind=?2) ORDER BY id", file_);
    open.Bind(1, static_cast<int64_t>(Record::Kind::kJobSubmitted));
    open.Bind(2, static_cast<int64_t>(Record::Kind::kJobEnded));
    while (true) {
      TWINKLE_ASSIGN_OR_RETURN(const bool more, open.Step());
      if (!more) return restored;
      restored.open_jobs.push_back(static_cast<uint64_t>(open.Number(0)));
    }
  }

  absl::StatusOr<std::vector<Record>> Last(size_t most) override {
    std::vector<Record> records;
    Statement last(database_.get(), "SELECT kind, id, detail FROM record ORDER BY number DESC LIMIT ?", file_);
    last.Bind(1, static_cast<int64_t>(most));
    while (true) {
      TWINKLE_ASSIGN_OR_RETURN(const bool more, last.Step());
      if (!more) break;
      TWINKLE_ASSIGN_OR_RETURN(const Record::Kind kind, KindFrom(last.Number(0)));
      records.push_back({kind, static_cast<uint64_t>(last.Number(1)), last.Text(2)});
    }
    std::reverse(records.begin(), records.end());
    return records;
  }

 private:
  absl::Status TryAppend(const std::vector<Record>& records, int64_t unix_ms) {
    if (records.empty()) return absl::OkStatus();
    TWINKLE_RETURN_IF_ERROR(CheckInPlace());
    TWINKLE_RETURN_IF_ERROR(Run("BEGIN IMMEDIATE"));
    absl::Status written = Insert(records, unix_ms);
    if (written.ok()) written = Run("COMMIT");
    if (!written.ok()) {
      Run("ROLLBACK").IgnoreError();  // fails if SQLite has rolled back itself
      return written;
    }
    appended_ += static_cast<int64_t>(records.size());
    if (appended_ >= options_.kept && Compact().ok()) appended_ = 0;  // after a failure the next Append tries again
    return absl::OkStatus();
  }

  absl::Status Run(const char* sql) { return Execute(database_.get(), sql, file_); }

  absl::StatusOr<int64_t> NumberFrom(const char* sql) {
    Statement statement(database_.get(), sql, file_);
    TWINKLE_RETURN_IF_ERROR(statement.Step().status());
    return statement.Number(0);
  }

  // Checks that the file is still in its place: what is written to a removed file is lost with the process.
  absl::Status CheckInPlace() const {
    struct stat facts {};
    if (::stat(file_.c_str(), &facts) == 0 && facts.st_dev == device_ && facts.st_ino == inode_) {
      return absl::OkStatus();
    }
    return absl::UnavailableError(
        absl::StrCat(file_, " was removed or replaced while the driver used it: put it back, or restart the driver"));
  }

  absl::Status Insert(const std::vector<Record>& records, int64_t unix_ms) {
    Statement insert(database_.get(), "INSERT INTO record(unix_ms, kind, id, detail) VALUES(?, ?, ?, ?)", file_);
    for (const Record& record : records) {
      insert.Bind(1, unix_ms).Bind(2, static_cast<int64_t>(record.kind)).Bind(3, static_cast<int64_t>(record.id));
      TWINKLE_RETURN_IF_ERROR(insert.Bind(4, record.detail).Step().status());
      insert.Reset();
    }
    return absl::OkStatus();
  }

  // The highest number of a kind; 0: there is none.
  absl::StatusOr<uint64_t> Highest(Record::Kind kind) {
    Statement highest(database_.get(), "SELECT max(id) FROM record WHERE kind=?", file_);
    highest.Bind(1, static_cast<int64_t>(kind));
    TWINKLE_ASSIGN_OR_RETURN(const bool found, highest.Step());
    return found ? static_cast<uint64_t>(highest.Number(0)) : 0;
  }

  // Deletes old records, except those of the highest number of each kind and of jobs that have not ended.
  absl::Status Compact() {
    Statement remove(database_.get(),
                     "DELETE FROM record WHERE number <= (SELECT max(number) FROM record) - ?1 "
                     "AND id NOT IN (SELECT max(id) FROM record GROUP BY kind) "
                     "AND NOT (kind=?2 AND id NOT IN (SELECT id FROM record WHERE kind=?3))",
                     file_);
    remove.Bind(1, options_.kept).Bind(2, static_cast<int64_t>(Record::Kind::kJobSubmitted));
    return remove.Bind(3, static_cast<int64_t>(Record::Kind::kJobEnded)).Step().status();
  }

  const Database database_;
  const std::string file_;
  const dev_t device_;
  const ino_t inode_;
  const SqliteJournalOptions options_;
  int64_t appended_ = 0;  // records since the last compaction, those of earlier drivers included
};

absl::Status MakeFolder(const std::string& folder) {
  std::error_code failed;
  if (std::filesystem::is_directory(folder, failed)) return absl::OkStatus();
  std::filesystem::create_directories(folder, failed);
  if (failed) return absl::UnavailableError(absl::StrCat(folder, " cannot be made: ", failed.message()));
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
  return absl::OkStatus();
}

// Makes the file with its mode; SQLite gives its companion files the same mode.
absl::StatusOr<struct stat> MakeFile(const std::string& file) {
  const base::Fd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct stat facts {};
  if (!fd.valid() || ::fchmod(fd.get(), 0600) != 0 || ::fstat(fd.get(), &facts) != 0) {
    const absl::Status why = absl::ErrnoToStatus(errno, file);
    return absl::UnavailableError(absl::StrCat("the journal cannot be opened: ", why.message()));
  }
  return facts;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Journal>> OpenSqliteJournal(const std::string& folder, SqliteJournalOptions options) {
  TWINKLE_RETURN_IF_ERROR(MakeFolder(folder));
  const std::string file = (std::filesystem::path(folder) / "journal.sqlite").string();
  TWINKLE_ASSIGN_OR_RETURN(const struct stat facts, MakeFile(file));
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(opened);
  if (code != SQLITE_OK) {
    return absl::UnavailableError(absl::StrCat(file, " cannot be opened: ", sqlite3_errstr(code)));
  }
  auto journal = std::make_unique<SqliteJournal>(std::move(database), file, facts, options);
  TWINKLE_RETURN_IF_ERROR(journal->Prepare());
  return std::unique_ptr<Journal>(std::move(journal));
}

}  // namespace twinkle::driver

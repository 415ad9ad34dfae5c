#include <absl/strings/str_cat.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "driver/journal.h"
#include "runtime/base/status.h"

namespace twinkle::driver {
namespace {

constexpr int kVersion = 1;  // of the tables

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// One prepared statement. Finalized with its owner.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql) { code_ = sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr); }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(int index, int64_t value) {
    sqlite3_bind_int64(statement_, index, value);
    return *this;
  }
  Statement& Bind(int index, const std::string& text) {
    sqlite3_bind_text(statement_, index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    return *this;
  }
  // Whether there is a row.
  bool Step() {
    return (code_ = code_ == SQLITE_OK || code_ == SQLITE_ROW ? sqlite3_step(statement_) : code_) == SQLITE_ROW;
  }
  bool failed() const { return code_ != SQLITE_OK && code_ != SQLITE_ROW && code_ != SQLITE_DONE; }
  void Reset() {
    sqlite3_reset(statement_);
    if (!failed()) code_ = SQLITE_OK;
  }
  int64_t Number(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string Text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return text == nullptr ? "" : std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;
};

class SqliteJournal final : public Journal {
 public:
  SqliteJournal(Database database, std::string file) : database_(std::move(database)), file_(std::move(file)) {}

  // Tables, and the lock that keeps other drivers out.
  absl::Status Prepare() {
    constexpr char kTable[] =
        "CREATE TABLE IF NOT EXISTS record(number INTEGER PRIMARY KEY, unix_ms INTEGER NOT NULL, "
        "kind INTEGER NOT NULL, id INTEGER NOT NULL, detail TEXT NOT NULL)";
    for (const char* sql : {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL",
                            kTable, "CREATE INDEX IF NOT EXISTS record_by_kind ON record(kind, id)"}) {
      TWINKLE_RETURN_IF_ERROR(Execute(sql));
    }
    Statement version(database_.get(), "PRAGMA user_version");
    version.Step();
    const int64_t found = version.Number(0);
    version.Reset();
    if (found == kVersion) return absl::OkStatus();
    if (found != 0) {
      return absl::FailedPreconditionError(
          absl::StrCat(file_, " was written by another version of Twinkle (", found, ", not ", kVersion, ")"));
    }
    return Execute(absl::StrCat("PRAGMA user_version=", kVersion).c_str());
  }

  absl::Status Append(const std::vector<Record>& records, int64_t unix_ms) override {
    if (records.empty()) return absl::OkStatus();
    TWINKLE_RETURN_IF_ERROR(Execute("BEGIN"));
    Statement insert(database_.get(), "INSERT INTO record(unix_ms, kind, id, detail) VALUES(?, ?, ?, ?)");
    for (const Record& record : records) {
      insert.Bind(1, unix_ms).Bind(2, static_cast<int64_t>(record.kind)).Bind(3, static_cast<int64_t>(record.id));
      insert.Bind(4, record.detail).Step();
      insert.Reset();
    }
    if (!insert.failed()) return Execute("COMMIT");
    absl::Status why = Failed("written");
    Execute("ROLLBACK").IgnoreError();
    return why;
  }

  absl::StatusOr<Restored> Restore() override {
    Restored restored;
    restored.last_node = Highest(Record::Kind::kNodeJoined);
    restored.last_job = Highest(Record::Kind::kJobSubmitted);
    restored.last_component = Highest(Record::Kind::kComponentAdded);
    Statement open(
        database_.get(),
        "SELECT id FROM record WHERE kind=?1 AND id NOT IN (SELECT id FROM record WHERE kind=?2) ORDER BY id");
    open.Bind(1, static_cast<int64_t>(Record::Kind::kJobSubmitted));
    open.Bind(2, static_cast<int64_t>(Record::Kind::kJobEnded));
    while (open.Step()) restored.open_jobs.push_back(static_cast<uint64_t>(open.Number(0)));
    if (open.failed()) return Failed("read");
    return restored;
  }

  absl::StatusOr<std::vector<Record>> Last(size_t most) override {
    std::vector<Record> records;
    Statement last(database_.get(), "SELECT kind, id, detail FROM record ORDER BY number DESC LIMIT ?");
    last.Bind(1, static_cast<int64_t>(most));
    while (last.Step()) {
      records.push_back(
          {static_cast<Record::Kind>(last.Number(0)), static_cast<uint64_t>(last.Number(1)), last.Text(2)});
    }
    if (last.failed()) return Failed("read");
    std::reverse(records.begin(), records.end());
    return records;
  }

 private:
  absl::Status Failed(const char* what) const {
    const int code = sqlite3_extended_errcode(database_.get());
    if ((code & 0xff) == SQLITE_BUSY) {
      return absl::FailedPreconditionError(absl::StrCat("another driver uses ", file_));
    }
    return absl::InternalError(absl::StrCat(file_, " cannot be ", what, ": ", sqlite3_errmsg(database_.get())));
  }
  absl::Status Execute(const char* sql) {
    return sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK ? absl::OkStatus()
                                                                                      : Failed("written");
  }
  uint64_t Highest(Record::Kind kind) {
    Statement highest(database_.get(), "SELECT max(id) FROM record WHERE kind=?");
    highest.Bind(1, static_cast<int64_t>(kind));
    return highest.Step() ? static_cast<uint64_t>(highest.Number(0)) : 0;
  }

  const Database database_;
  const std::string file_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Journal>> OpenSqliteJournal(const std::string& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  const std::string file = (std::filesystem::path(folder) / "journal.sqlite").string();
  sqlite3* opened = nullptr;
  const int code =
      sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(opened);
  if (code != SQLITE_OK) {
    return absl::InternalError(absl::StrCat(file, " cannot be opened: ", sqlite3_errstr(code)));
  }
  auto journal = std::make_unique<SqliteJournal>(std::move(database), file);
  TWINKLE_RETURN_IF_ERROR(journal->Prepare());
  return std::unique_ptr<Journal>(std::move(journal));
}

}  // namespace twinkle::driver

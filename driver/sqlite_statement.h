// What the journal uses of SQLite, with statuses.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

namespace twinkle::driver {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// What the last failure in the database was, in words that name its file. FailedPrecondition: another process uses it;
// ResourceExhausted: the disk is full; DataLoss: it is no database, or a damaged one; Unavailable: anything else.
absl::Status WhyFailed(sqlite3* database, const std::string& file);

// One prepared statement; finalized with its owner, which must go before the database.
class Statement {
 public:
  // `file` is for texts.
  Statement(sqlite3* database, const char* sql, std::string file);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(int index, int64_t value);
  Statement& Bind(int index, const std::string& text);
  // Whether there is a row. Errors as WhyFailed.
  absl::StatusOr<bool> Step();
  // For the next Bind and Step.
  void Reset();

  // Of the row.
  int64_t Number(int column) const;
  std::string Text(int column) const;

 private:
  sqlite3* const database_;
  const std::string file_;
  sqlite3_stmt* statement_ = nullptr;
};

// Statements without rows. Errors as WhyFailed.
absl::Status Execute(sqlite3* database, const char* sql, const std::string& file);

}  // namespace twinkle::driver

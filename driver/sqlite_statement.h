// SQLite as the journal uses it: statements, and its errors as statuses.
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

// The last failure in the database as a status that names its file. FailedPrecondition: another process uses it;
// ResourceExhausted: the disk is full; DataLoss: it is no database, or a damaged one; Unavailable: anything else.
absl::Status WhyFailed(sqlite3* database, const std::string& file);

// A prepared statement. Finalized by its destructor, which must run before the database is closed. For one thread at a
// time.
class Statement {
 public:
  // `file`: the database's name, for texts.
  Statement(sqlite3* database, const char* sql, std::string file);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(int index, int64_t value);
  Statement& Bind(int index, const std::string& text);
  // Runs the statement to its next row; false: there is none. Errors as WhyFailed.
  absl::StatusOr<bool> Step();
  // Prepares for another Bind and Step.
  void Reset();

  // A column of the current row.
  int64_t Number(int column) const;
  std::string Text(int column) const;

 private:
  sqlite3* const database_;
  const std::string file_;
  sqlite3_stmt* statement_ = nullptr;
};

// Runs statements without rows. Errors as WhyFailed.
absl::Status Execute(sqlite3* database, const char* sql, const std::string& file);

}  // namespace twinkle::driver

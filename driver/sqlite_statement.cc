#include "driver/sqlite_statement.h"

#include <absl/strings/str_cat.h>

#include <utility>

namespace twinkle::driver {

absl::Status WhyFailed(sqlite3* database, const std::string& file) {
  const int code = sqlite3_extended_errcode(database) & 0xff;
  const std::string why = absl::StrCat(file, " cannot be read or written: ", sqlite3_errmsg(database));
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::FailedPreconditionError(absl::StrCat("another driver uses ", file));
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(why);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(why);
    default:
      return absl::UnavailableError(why);
  }
}

Statement::Statement(sqlite3* database, const char* sql, std::string file)
    : database_(database), file_(std::move(file)) {
  sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);  // null if it fails: Step reports it
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::Bind(int index, int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
  return *this;
}

Statement& Statement::Bind(int index, const std::string& text) {
  sqlite3_bind_text(statement_, index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (statement_ == nullptr) return WhyFailed(database_, file_);
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW || code == SQLITE_DONE) return code == SQLITE_ROW;
  return WhyFailed(database_, file_);
}

void Statement::Reset() { sqlite3_reset(statement_); }

int64_t Statement::Number(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr ? "" : std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

absl::Status Execute(sqlite3* database, const char* sql, const std::string& file) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return absl::OkStatus();
  return WhyFailed(database, file);
}

}  // namespace twinkle::driver

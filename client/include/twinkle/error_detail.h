// ErrorDetail: what a failed remote call's status knows besides its message.
#pragma once

#include <absl/status/status.h>
#include <twinkle/answer.h>
#include <twinkle/internal/export.h>

#include <cstdint>
#include <string>

namespace twinkle {

// Of the call that failed first, where one failure is the cause of others. New fields come at the end.
struct ErrorDetail {
  std::string class_name = {};  // qualified
  std::string method = {};      // "constructor" for one
  int rank = -1;                // in its group; -1: an object of the program's own process
  std::string group = {};       // empty likewise
  std::string host = {};        // where the rank's process is, or was
  int64_t pid = 0;
  std::string file = {};  // where the call was made: the base name
  int line = 0;
};

// Nothing: the status is not a rank's failure (it is OK, or of an argument, a limit, a name).
TWINKLE_EXPORT Maybe<ErrorDetail> GetErrorDetail(const absl::Status& status);

}  // namespace twinkle

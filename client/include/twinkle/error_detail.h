// ErrorDetail: what the status of a failed remote call says besides its message.
#pragma once

#include <absl/status/status.h>
#include <twinkle/answer.h>
#include <twinkle/internal/export.h>

#include <cstdint>
#include <string>

namespace twinkle {

// The call that failed first, if one failure caused others. New fields are added at the end.
struct ErrorDetail {
  std::string class_name = {};  // qualified
  std::string method = {};      // "constructor" for a constructor
  int rank = -1;                // in its group; -1: an object of the program's own process
  std::string group = {};       // empty: an object of the program's own process
  std::string host = {};        // where the rank's process runs, or ran
  int64_t pid = 0;
  std::string file = {};  // where the call was made: a file's base name
  int line = 0;
};

// The detail of a status. Nothing: the status is not a rank's failure (it is OK, or says that an argument, a limit or a
// name is wrong). Thread-safe.
TWINKLE_EXPORT Maybe<ErrorDetail> GetErrorDetail(const absl::Status& status);

}  // namespace twinkle

// The words in which failures of remote calls are told: the same everywhere.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <string>

#include "runtime/base/call_name.h"

namespace twinkle::actor {

// The facts of a call, for messages.
struct CallFacts {
  std::string class_name;  // qualified
  std::string method;      // "constructor" for one
  std::string group;       // empty: an object of this process
  int rank = -1;
  std::string place;  // "host, pid 123"
  std::string file;   // base name
  int line = 0;
};

using base::BaseName;
using base::ShortName;

// The call's name and place: "Policy.Generate [train.cc:78]".
std::string What(const CallFacts& facts);

// The status with "Policy.Generate failed on rank 2 of group 'policy' (host, pid 123) [train.cc:78]: " before its
// message, and the same facts as its payload.
absl::Status Failed(const CallFacts& facts, const absl::Status& cause);

// The reason of a group's end by Kill: "Policy.component().Kill() [train.cc:78]".
absl::Status KilledAt(absl::string_view class_name, absl::string_view file, int line);

// The error of a component whose session is over.
absl::Status OfEndedSession(absl::string_view class_name);

// The error of calls on a group that was aborted.
absl::Status GroupAborted(absl::string_view group, const absl::Status& why);

// The url of the payload that Failed adds: JSON with class, method, rank (-1: of this process), group, place, file and
// line.
inline constexpr char kDetailUrl[] = "twinkle.v1.ErrorDetail";

}  // namespace twinkle::actor

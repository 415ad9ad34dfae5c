// What provokes the failures that the table in docs/errors.md lists.
#pragma once

#include <absl/status/status.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/error_table.h"

namespace twinkle::tests {

using Statuses = std::vector<absl::Status>;

struct Provoker {
  // Makes it happen, in sessions of its own that have ended afterwards: what the program is told, each time.
  std::function<Statuses()> provoke;
  std::vector<std::string> words = {};  // of the row's example: the test's are others
};

// What the program is told has the row's code, and is like one of its texts.
inline void CheckProvoked(const ErrorRow& row, const Provoker& provoker) {
  const Statuses statuses = provoker.provoke();
  CHECK_FALSE(statuses.empty());
  for (const absl::Status& status : statuses) {
    INFO(status.ToString(absl::StatusToStringMode::kWithNoExtraData));
    CHECK(HasCode(row, status.code()));
    CHECK(std::any_of(row.texts.begin(), row.texts.end(), [&](const std::string& text) {
      return IsLike(std::string(status.message()), text, provoker.words);
    }));
  }
}

// By the first cell of the row.
using Provokers = std::map<std::string, Provoker>;

Provokers ProvokersInProcess();  // ranks are threads
Provokers ProvokersOnCluster();  // ranks are processes

}  // namespace twinkle::tests

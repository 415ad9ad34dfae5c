// What provokes the failures that the README's table lists.
#pragma once

#include <absl/status/status.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace twinkle::tests {

using Statuses = std::vector<absl::Status>;

struct Provoker {
  // Makes it happen, in sessions of its own that have ended afterwards: what the program is told, each time.
  std::function<Statuses()> provoke;
  std::vector<std::string> words = {};  // of the row's example: the test's are others
};

// By the first cell of the row.
using Provokers = std::map<std::string, Provoker>;

Provokers ProvokersInProcess();  // ranks are threads
Provokers ProvokersOnCluster();  // ranks are processes

}  // namespace twinkle::tests

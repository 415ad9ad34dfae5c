// The table of failures in docs/errors.md, read as the tests read it: what happens, the codes, and the texts, in which
// names, hosts and numbers are an example's.
#pragma once

#include <absl/status/status.h>

#include <set>
#include <string>
#include <vector>

namespace twinkle::tests {

struct ErrorRow {
  std::string event;               // the first cell, as it stands there
  std::vector<std::string> codes;  // as users write them: InvalidArgument; empty where it is another failure's
  std::vector<std::string> texts;  // of messages, each an example
};

// The rows of the first table behind that heading, in order; none where there is no such table. Throws
// std::runtime_error when the file cannot be read, or a row has too few cells.
std::vector<ErrorRow> ReadErrorTable(const std::string& file, const std::string& heading);

// The rows that a program alone does not provoke, or not soon: tests/integration/client/error_rows_test.cc does, which
// has the library's insides in its hands. Each other row is provoked by tests/integration/cluster/error_table_test.cc.
const std::set<std::string>& RowsFromInside();

// Whether the row names that code, or leaves it open.
bool HasCode(const ErrorRow& row, absl::StatusCode code);

// Whether the message is as the example says. All of the example's text is in the message, in order, and nothing else
// is; but what is an example's (a class and method, a name in quotes, a host, a pid, a number, a place in the code, an
// address, a path) may be another one, a new line is as good as a blank, `…` is anything, and so is what follows an
// example that ends with a colon. `words` are further parts of the example that may be anything.
bool IsLike(const std::string& message, const std::string& example, const std::vector<std::string>& words = {});

}  // namespace twinkle::tests

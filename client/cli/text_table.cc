#include "client/cli/text_table.h"

#include <absl/strings/str_format.h>

#include <algorithm>

#include "runtime/base/names.h"

namespace twinkle::cli {

std::string TableText(std::vector<Row> rows) {
  std::vector<size_t> widths;
  for (Row& row : rows) {
    for (std::string& entry : row) entry = base::Printable(entry);
  }
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line = " ";
    for (size_t i = 0; i < row.size(); ++i) absl::StrAppendFormat(&line, " %-*s ", widths[i], row[i]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace twinkle::cli

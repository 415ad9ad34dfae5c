// Tables for a terminal.
#pragma once

#include <string>
#include <vector>

namespace twinkle::cli {

using Row = std::vector<std::string>;

// Columns as wide as their widest entry; the first row is the heading. Entries do nothing to a terminal
// (base::Printable), whoever wrote them.
std::string TableText(std::vector<Row> rows);

}  // namespace twinkle::cli

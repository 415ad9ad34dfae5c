// Tables for a terminal.
#pragma once

#include <string>
#include <vector>

namespace twinkle::base {

// The first row of a table is its heading; a row may be shorter than others. Entries do nothing to a terminal
// (Printable), whoever wrote them.
using TableRow = std::vector<std::string>;

// An entry that stands for numbers which are not shown.
inline constexpr char kMore[] = "…";

// Columns as wide as their widest entry, with blanks between them.
std::string PlainTable(std::vector<TableRow> rows);

// Drawn with lines. A column of numbers stands to the right, so that they line up, and its heading with it.
std::string BoxedTable(std::vector<TableRow> rows);

}  // namespace twinkle::base

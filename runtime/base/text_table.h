// Tables of text for a terminal.
#pragma once

#include <string>
#include <vector>

namespace twinkle::base {

// A row of a table. The first row is the heading; rows may be shorter than others. Entries are shown by Printable, so
// that they do nothing to a terminal.
using TableRow = std::vector<std::string>;

// An entry that stands for numbers that are not shown.
inline constexpr char kMore[] = "…";

// A table with columns as wide as their widest entry, and blanks between them.
std::string PlainTable(std::vector<TableRow> rows);

// A table that is drawn with lines. A column of numbers is aligned to the right, with its heading.
std::string BoxedTable(std::vector<TableRow> rows);

}  // namespace twinkle::base

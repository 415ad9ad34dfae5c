#include "runtime/base/text_table.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <cstddef>

#include "runtime/base/names.h"

namespace twinkle::base {
namespace {

// The width of UTF-8 text on a terminal, in code points, which is right for all but rare scripts.
size_t Width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string SpaceBehind(const std::string& entry, size_t width) { return std::string(width - Width(entry), ' '); }

bool IsNumber(const std::string& entry) {
  return entry == kMore || entry.find_first_not_of("0123456789") == std::string::npos;
}

// Makes entries printable and rows equally long. Returns the width of each column.
std::vector<size_t> Prepare(std::vector<TableRow>& rows) {
  std::vector<size_t> widths;
  for (const TableRow& row : rows) widths.resize(std::max(widths.size(), row.size()));
  for (TableRow& row : rows) {
    row.resize(widths.size());
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = Printable(row[i]);
      widths[i] = std::max(widths[i], Width(row[i]));
    }
  }
  return widths;
}

std::string Rule(const std::vector<size_t>& widths, const char* left, const char* middle, const char* right) {
  const auto dashes = [](std::string* out, size_t width) {
    for (size_t i = 0; i < width + 2; ++i) out->append("─");
  };
  return absl::StrCat(left, absl::StrJoin(widths, middle, dashes), right, "\n");
}

}  // namespace

std::string PlainTable(std::vector<TableRow> rows) {
  const std::vector<size_t> widths = Prepare(rows);
  std::string text;
  for (const TableRow& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) absl::StrAppend(&line, "  ", row[i], SpaceBehind(row[i], widths[i]));
    absl::StrAppend(&text, line.substr(0, line.find_last_not_of(' ') + 1), "\n");
  }
  return text;
}

std::string BoxedTable(std::vector<TableRow> rows) {
  const std::vector<size_t> widths = Prepare(rows);
  std::vector<bool> to_right(widths.size(), true);
  for (size_t i = 0; i < widths.size(); ++i) {
    to_right[i] = std::all_of(rows.begin() + 1, rows.end(), [i](const TableRow& row) { return IsNumber(row[i]); });
  }
  std::string text = Rule(widths, "┌", "┬", "┐");
  for (const TableRow& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string space = SpaceBehind(row[i], widths[i]);
      absl::StrAppend(&text, "│ ", to_right[i] ? space : "", row[i], to_right[i] ? "" : space, " ");
    }
    absl::StrAppend(&text, "│\n");
    if (&row == &rows.front()) text += Rule(widths, "├", "┼", "┤");
  }
  return text + Rule(widths, "└", "┴", "┘");
}

}  // namespace twinkle::base

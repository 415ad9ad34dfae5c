#include "tests/support/error_table.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace twinkle::tests {
namespace {

constexpr const char* kAnything = "[\\s\\S]*";

// ---- cells
std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream rest(line.substr(1));
  for (std::string cell; std::getline(rest, cell, '|');) {
    const size_t begin = cell.find_first_not_of(' ');
    cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, cell.find_last_not_of(' ') + 1 - begin));
  }
  return cells;
}

// What stands between backquotes.
std::vector<std::string> Quoted(const std::string& cell) {
  std::vector<std::string> quoted;
  for (size_t begin = cell.find('`'); begin != std::string::npos;) {
    const size_t end = cell.find('`', begin + 1);
    if (end == std::string::npos) break;
    quoted.push_back(cell.substr(begin + 1, end - begin - 1));
    begin = cell.find('`', end + 1);
  }
  return quoted;
}

// INVALID_ARGUMENT is InvalidArgument.
std::string NameOf(absl::StatusCode code) {
  std::string name;
  bool first = true;
  for (char letter : absl::StatusCodeToString(code)) {
    if (letter != '_') name += first ? letter : static_cast<char>(std::tolower(letter));
    first = letter == '_';
  }
  return name;
}

bool IsCode(const std::string& word) {
  constexpr int kLast = static_cast<int>(absl::StatusCode::kUnauthenticated);
  for (int code = 1; code <= kLast; ++code) {
    if (NameOf(static_cast<absl::StatusCode>(code)) == word) return true;
  }
  return false;
}

ErrorRow RowOf(const std::string& line) {
  const std::vector<std::string> cells = Cells(line);
  if (cells.size() < 3) throw std::runtime_error("a row with too few cells: " + line);
  ErrorRow row{.event = cells[0], .codes = {}, .texts = {}};
  for (const std::string& word : Quoted(cells[1])) {
    if (IsCode(word)) row.codes.push_back(word);
  }
  for (const std::string& text : Quoted(cells[2])) {
    if (text.find(' ') != std::string::npos) row.texts.push_back(text);  // else the name of a function
  }
  return row;
}

// ---- examples
// A part of an example that may be another one in a message.
struct Variable {
  std::regex in_example;
  std::string in_message;
};

const std::vector<Variable>& Variables() {
  static const std::vector<Variable> variables = [] {
    std::vector<Variable> made;
    for (const auto& [in_example, in_message] : std::vector<std::pair<const char*, const char*>>{
             {"…", kAnything},
             {"'[^']*'", "'[^']*'"},
             {"[\\w.-]+:\\d+", "[\\w.-]+:\\d+"},                   // a place in the code, an address
             {"[\\w.-]+, pid \\d+", "[\\w.-]+, pid \\d+"},         // a process
             {"(gpu-\\d+|node\\d+|vm)(?!\\w)", "[\\w.-]+"},        // a host, a node
             {"/[\\w./-]*\\w", "/[\\w./-]+"},                      // a path
             {"[A-Z]\\w*\\.[A-Z]\\w*", "\\w+\\.\\w+"},             // a class and a method
             {"[A-Z]\\w*(?=\\.(constructor|component))", "\\w+"},  // a class
             {"\\d+(\\.\\d+)?(ms|s)?(?!\\w)", "[\\d.]+(ms|s)?"},   // a number, a time
         }) {
      made.push_back({std::regex(in_example), in_message});
    }
    return made;
  }();
  return variables;
}

bool InWord(char character) { return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '_'; }

// The length of the part at that place that may be another one, and the pattern of what it may be; 0 where there is
// none.
size_t VariableAt(const std::string& example, size_t place, const std::vector<std::string>& words,
                  std::string* pattern) {
  for (const std::string& word : words) {
    if (example.compare(place, word.size(), word) != 0) continue;
    *pattern = kAnything;
    return word.size();
  }
  if (place > 0 && InWord(example[place - 1])) return 0;  // inside a word there is none
  for (const Variable& variable : Variables()) {
    std::smatch found;
    if (!std::regex_search(example.begin() + static_cast<std::ptrdiff_t>(place), example.end(), found,
                           variable.in_example, std::regex_constants::match_continuous)) {
      continue;
    }
    *pattern = variable.in_message;
    return static_cast<size_t>(found.length());
  }
  return 0;
}

std::string PatternOf(const std::string& example, const std::vector<std::string>& words) {
  std::string pattern;
  for (size_t place = 0; place < example.size();) {
    std::string part;
    const size_t length = VariableAt(example, place, words, &part);
    if (length == 0 && std::string("\\^$.*+?()[]{}|").find(example[place]) != std::string::npos) pattern += '\\';
    if (length == 0) part = example[place] == ' ' ? "\\s+" : std::string(1, example[place]);
    pattern += part;
    place += std::max<size_t>(length, 1);
  }
  const size_t last = example.find_last_not_of(' ');
  return last != std::string::npos && example[last] == ':' ? pattern + kAnything : pattern;
}

}  // namespace

std::vector<ErrorRow> ReadErrorTable(const std::string& file, const std::string& heading) {
  std::ifstream lines(file);
  if (!lines.is_open()) throw std::runtime_error("cannot read " + file);
  std::vector<ErrorRow> rows;
  bool there = false;
  int table_lines = 0;
  for (std::string line; std::getline(lines, line);) {
    there = there || (line.rfind("## ", 0) == 0 && line.substr(3) == heading);
    const bool in_table = there && line.rfind("|", 0) == 0;
    if (!in_table && table_lines > 0) break;
    if (in_table && ++table_lines > 2) rows.push_back(RowOf(line));  // behind its heads and their rule
  }
  return rows;
}

const std::set<std::string>& RowsFromInside() {
  static const std::set<std::string> rows = {
      "the process that was to construct a component is gone",
      "a process sends what is no message (another build of the library, say)",
      "no driver there",
      "the driver says nothing more while a job waits or starts",
      "two processes of a job live, and cannot reach each other for more than 6 s after their connection broke",
      "`Find` of a component on another machine, whose node has no `--host`",
      "builds of Twinkle that speak different protocols",
  };
  return rows;
}

bool HasCode(const ErrorRow& row, absl::StatusCode code) {
  return row.codes.empty() || std::find(row.codes.begin(), row.codes.end(), NameOf(code)) != row.codes.end();
}

bool IsLike(const std::string& message, const std::string& example, const std::vector<std::string>& words) {
  return std::regex_match(message, std::regex(PatternOf(example, words)));
}

}  // namespace twinkle::tests

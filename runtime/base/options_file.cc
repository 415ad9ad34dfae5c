#include "runtime/base/options_file.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>
#include <fcntl.h>

#include <memory>
#include <set>

#include "runtime/base/names.h"
#include "runtime/base/open_regular.h"

namespace twinkle::base {
namespace {

constexpr size_t kMostShown = 60;  // bytes of a wrong name

// Refuses a file that is not regular, because reading a pipe would wait for its writer. A file that is missing, or
// cannot be read, is reported when it is read.
std::string NoOtherFile(const std::string& path) {
  const OpenedFile file = OpenRegular(path, O_PATH);
  if (file.fd.valid() || file.error != 0) return "";
  return absl::StrCat("'", path, "' is no regular file");
}

bool SaysNothing(absl::string_view line) { return line.empty() || line[0] == '#' || line[0] == ';'; }

CLI::ConfigError Wrong(size_t number, const std::string& why) {
  return CLI::ConfigError(absl::StrCat("--config: line ", number, " of its file ", why));
}

// The text before a comment: a # at the beginning, or behind a space.
absl::string_view BeforeRemark(absl::string_view text) {
  size_t remark = text.find('#');
  while (remark != text.npos && remark > 0 && !absl::ascii_isspace(text[remark - 1])) {
    remark = text.find('#', remark + 1);
  }
  return absl::StripTrailingAsciiWhitespace(text.substr(0, remark));
}

std::string Value(absl::string_view text, size_t number) {
  text = absl::StripLeadingAsciiWhitespace(text);
  if (text.empty() || (text[0] != '"' && text[0] != '\'')) return std::string(BeforeRemark(text));
  const size_t end = text.find(text[0], 1);
  if (end == text.npos) throw Wrong(number, "has a quote that does not end");
  if (!BeforeRemark(text.substr(end + 1)).empty()) throw Wrong(number, "says more behind its quotes");
  return std::string(text.substr(1, end - 1));
}

}  // namespace

std::vector<CLI::ConfigItem> OptionsFile::from_config(std::istream& input) const {
  std::vector<CLI::ConfigItem> items;
  std::set<std::string> names;
  std::string line;
  for (size_t number = 1; std::getline(input, line); ++number) {
    absl::StripAsciiWhitespace(&line);
    if (SaysNothing(line)) continue;
    const size_t equals = line.find('=');
    if (equals == std::string::npos) throw Wrong(number, "is no NAME=VALUE");
    const std::string name(absl::StripAsciiWhitespace(line.substr(0, equals)));
    const CLI::Option* option = app_.get_option_no_throw("--" + name);
    if (option == nullptr || !option->get_configurable()) {
      throw Wrong(number, absl::StrCat("names no option: '", Printable(name.substr(0, kMostShown)), "'"));
    }
    if (!names.insert(name).second) throw Wrong(number, absl::StrCat("says ", name, " again"));
    items.push_back({{}, name, {Value(absl::string_view(line).substr(equals + 1), number)}});
  }
  if (input.bad()) throw CLI::ConfigError("--config: its file cannot be read to its end");
  return items;
}

void AddOptionsFile(CLI::App& app) {
  app.set_config("--config", "", "File with these options, NAME=VALUE a line")->check(&NoOtherFile);
  app.config_formatter(std::make_shared<OptionsFile>(app));
}

}  // namespace twinkle::base

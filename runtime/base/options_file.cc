#include "runtime/base/options_file.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <memory>
#include <set>

#include "runtime/base/names.h"

namespace twinkle::base {
namespace {

constexpr size_t kMostShown = 60;  // of a name that is none

bool SaysNothing(absl::string_view line) { return line.empty() || line[0] == '#' || line[0] == ';'; }

std::string Value(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  for (const char quote : {'"', '\''}) {
    const size_t end = text.size() > 1 && text[0] == quote ? text.find(quote, 1) : text.npos;
    if (end != text.npos) return std::string(text.substr(1, end - 1));
  }
  return std::string(absl::StripTrailingAsciiWhitespace(text.substr(0, text.find(" #"))));
}

CLI::ConfigError Wrong(size_t number, const std::string& why) {
  return CLI::ConfigError(absl::StrCat("--config: line ", number, " of its file ", why));
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
    items.push_back({{}, name, {Value(line.substr(equals + 1))}});
  }
  return items;
}

void AddOptionsFile(CLI::App& app) {
  app.set_config("--config", "", "File with these options, NAME=VALUE a line");
  app.config_formatter(std::make_shared<OptionsFile>(app));
}

}  // namespace twinkle::base

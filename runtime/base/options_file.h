// The file of options that commands and services take with --config.
#pragma once

#include <CLI/CLI.hpp>
#include <istream>
#include <string>
#include <vector>

namespace twinkle::base {

// Reads NAME=VALUE, an option a line; the value may stand in quotes, of which a " or ' ends with the next of its kind.
// Empty lines, lines that begin with # or ;, and a remark behind a value, which begins with a space and #, say nothing;
// a value that is a remark alone is empty. Whatever else a line is, it is refused with its number, as wrong words are:
// a name that the application has no option for, or a second time, or more than a remark behind quotes.
class OptionsFile : public CLI::Config {
 public:
  // For the options of this application, which outlives it.
  explicit OptionsFile(const CLI::App& app) : app_(app) {}

  // Throws CLI::ConfigError.
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;
  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return {}; }

 private:
  const CLI::App& app_;
};

// The option --config of the application, which takes a regular file only.
void AddOptionsFile(CLI::App& app);

}  // namespace twinkle::base

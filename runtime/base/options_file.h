// The file of options that commands and services take with --config.
#pragma once

#include <CLI/CLI.hpp>
#include <istream>
#include <string>
#include <vector>

namespace twinkle::base {

// Reads NAME=VALUE, an option a line; the value may stand in quotes. Empty lines, lines that begin with # or ;, and
// what stands behind a value and " #", say nothing. Whatever else a line is, it is refused with its number, as wrong
// words are: a name that the application has no option for, or a second time.
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

// The option --config of the application.
void AddOptionsFile(CLI::App& app);

}  // namespace twinkle::base

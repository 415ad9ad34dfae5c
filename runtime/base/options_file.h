// The options file that commands and services take with --config.
#pragma once

#include <CLI/CLI.hpp>
#include <istream>
#include <string>
#include <vector>

namespace twinkle::base {

// Reads an options file: NAME=VALUE, one option a line. The value may be in quotes; a " or ' ends with the next of its
// kind. Ignored: empty lines, lines that begin with # or ;, and a comment behind a value, which begins with a space and
// #. A value that is only a comment is empty. Any other line is refused with its number, as wrong arguments are: an
// unknown name, a name for the second time, and text other than a comment behind quotes.
class OptionsFile : public CLI::Config {
 public:
  // `app`: the application whose options the file may set; it must outlive this object.
  explicit OptionsFile(const CLI::App& app) : app_(app) {}

  // Throws CLI::ConfigError.
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;
  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return {}; }

 private:
  const CLI::App& app_;
};

// Adds the option --config to an application. It takes a regular file only.
void AddOptionsFile(CLI::App& app);

}  // namespace twinkle::base

// Command lines of commands and services: wrong arguments are reported in one sentence, and with one exit code.
#pragma once

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <limits>
#include <optional>
#include <string>

#include "runtime/base/names.h"

namespace twinkle::base {

// The exit code for wrong arguments, or wrong environment variables that stand for them. Any other failure exits with
// 1.
inline constexpr int kWrongArguments = 2;

// A check of an option's value: a number from `least` on (above it, with `more`) that is small enough to count seconds
// or slots.
inline auto NumberFrom(double least, bool more = false) {
  return [least, more](const std::string& text) {
    constexpr int kMost = std::numeric_limits<int>::max();
    double number = 0;
    const bool is_number = absl::SimpleAtod(text, &number);
    if (is_number && number <= kMost && (more ? number > least : number >= least)) return std::string();
    const std::string range = absl::StrCat(more ? "above " : "not below ", least);
    if (is_number && number > kMost)
      return absl::StrCat("must be a number ", range, ", up to ", kMost, ", not '", text, "'");
    return absl::StrCat("must be a number ", range, ", not '", text, "'");
  };
}
// A check of an option's value: a whole number from `least` to `most`.
inline auto CountFrom(int64_t least, int64_t most = std::numeric_limits<int>::max()) {
  return [least, most](const std::string& text) {
    int64_t count = 0;
    if (absl::SimpleAtoi(text, &count) && count >= least && count <= most) return std::string();
    const std::string end = count > most ? absl::StrCat(" to ", most) : " on";
    return absl::StrCat("must be a whole number from ", least, end, ", not '", text, "'");
  };
}

// A text that names the environment variable with the wrong value; empty: the value came from the command line.
inline std::string VariableWithWrongValue(const CLI::App& app, const std::string& message, int argc, char** argv) {
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    if (option->get_envname().empty() || !absl::StartsWith(message, name + ":")) continue;
    for (int i = 1; i < argc; ++i) {
      if (absl::StartsWith(argv[i], name)) return "";
    }
    if (const char* value = std::getenv(option->get_envname().c_str());
        value != nullptr && *value != '\0' && absl::StrContains(message, value)) {
      return absl::StrCat("$", option->get_envname(), ", which stands for ");
    }
  }
  return "";
}

// Prints a sentence about wrong arguments. Returns the exit code.
inline int ReportWrongArguments(const CLI::App& app, const std::string& sentence) {
  std::cerr << app.get_name() << ": " << PrintableLines(sentence, "  ") << '\n'
            << app.get_name() << " --help says what it takes.\n";
  return kWrongArguments;
}

// Parses the command line of an application, which must have a name. Nothing: it is right. Otherwise the exit code: 0
// after --help and --version, or kWrongArguments after a sentence on stderr, which `explain` may change.
inline std::optional<int> ParseCommandLine(CLI::App& app, int argc, char** argv,
                                           const std::function<std::string(const std::string&)>& explain = {}) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    const std::string sentence = absl::StrCat(VariableWithWrongValue(app, error.what(), argc, argv), error.what());
    return ReportWrongArguments(app, explain ? explain(sentence) : sentence);
  }
}

}  // namespace twinkle::base

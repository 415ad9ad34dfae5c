// twinkle-conformance FILE.json...: runs golden cases through the library's mesh, dispatch and
// collect code.
#include <absl/strings/str_cat.h>

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "tests/conformance/cases.h"

namespace twinkle::conformance {
namespace {

constexpr char kUsage[] =
    "usage: twinkle-conformance FILE.json...\n"
    "Runs the cases in files of the golden format (a JSON list of mesh, dispatch and collect "
    "cases)\n"
    "through the library. Prints one line for each case that fails, and last how many passed and\n"
    "failed. The exit status is 0 when all passed, 1 when one failed, and 2 when a file cannot be\n"
    "read or nothing was asked for.\n";

struct Count {
  int passed = 0;
  int failed = 0;
};

absl::StatusOr<Json> ReadCases(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  try {
    Json cases = Json::parse(file);
    if (cases.is_array()) return cases;
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a JSON list of cases"));
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not JSON: ", error.what()));
  }
}

std::string NameOf(const Json& golden, size_t index, const std::string& path) {
  const bool named = golden.is_object() && golden.contains("id") && golden["id"].is_string();
  return named ? golden["id"].get<std::string>() : absl::StrCat("case ", index, " of ", path);
}

Verdict Judge(const Json& golden) {
  try {
    return RunCase(golden);
  } catch (const Json::exception& error) {
    return Mismatch{"a case of the golden format", error.what()};
  }
}

void RunCases(const Json& cases, const std::string& path, Count& count) {
  for (size_t i = 0; i < cases.size(); ++i) {
    const Verdict verdict = Judge(cases[i]);
    ++(verdict ? count.failed : count.passed);
    if (!verdict) continue;
    std::cout << "FAILED " << NameOf(cases[i], i, path) << ": expected " << verdict->expected << ", but got "
              << verdict->came << '\n';
  }
}

int Main(const std::vector<std::string>& paths) {
  Count count;
  bool all_read = !paths.empty();
  for (const std::string& path : paths) {
    const absl::StatusOr<Json> cases = ReadCases(path);
    if (cases.ok()) {
      RunCases(*cases, path, count);
    } else {
      std::cerr << "twinkle-conformance: " << cases.status().message() << '\n';
      all_read = false;
    }
  }
  std::cout << count.passed << " passed, " << count.failed << " failed\n";
  if (!all_read) return 2;
  return count.failed == 0 ? 0 : 1;
}

}  // namespace

Verdict RunCase(const Json& golden) {
  if (!golden.is_object()) return Mismatch{"an object", Text(golden)};
  if (golden.contains("results")) return RunCollectCase(golden);
  if (golden.contains("args") || golden.contains("workers")) return RunDispatchCase(golden);
  return RunMeshCase(golden);
}

Verdict CompareError(const Json& golden, const absl::Status& came, const std::string& result) {
  const std::string described = came.ok() ? result : absl::StrCat("error ", base::ReasonOf(came), ": ", came.message());
  if (!golden.contains("expect_error")) {
    return Mismatch{Text(golden.value("expect", Json())), described};
  }
  const std::string reason = golden["expect_error"].get<std::string>();
  if (!came.ok() && base::ReasonOf(came) == reason) return std::nullopt;
  return Mismatch{absl::StrCat("error ", reason), described};
}

}  // namespace twinkle::conformance

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  for (const std::string& argument : arguments) {
    if (argument != "--help" && argument != "-h") continue;
    std::cout << twinkle::conformance::kUsage;
    return 0;
  }
  if (arguments.empty()) {
    std::cerr << twinkle::conformance::kUsage;
    return 2;
  }
  return twinkle::conformance::Main(arguments);
}

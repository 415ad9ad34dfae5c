// Prints one line of JSON for each metric, measured on private clusters.
#include <CLI/CLI.hpp>

#include "tests/benchmark/grpc_floor.h"
#include "tests/benchmark/metrics.h"

int main(int argc, char** argv) {
  namespace benchmark = twinkle::benchmark;
  if (argc == 3 && std::string(argv[1]) == "--serve-echo") return benchmark::ServeEcho(argv[2]);
  twinkle::ServeIfWorker(argc, argv);
  benchmark::Arguments arguments{argc, argv};
  std::vector<std::string> parts = {"calls", "data", "start", "deaths"};
  bool victim = false;
  CLI::App app("Measures what calls, data, start and deaths cost on private clusters of this machine.");
  app.add_flag("--quick", arguments.quick, "Few samples: that it works, not how fast");
  app.add_option("parts", parts, "calls, data, start, deaths")
      ->check(CLI::IsMember({"calls", "data", "start", "deaths"}))
      ->capture_default_str();
  app.add_flag("--victim", victim)->group("");  // to be killed
  CLI11_PARSE(app, argc, argv);
  if (victim) return benchmark::RunVictim(arguments);
  for (const std::string& part : parts) {
    if (part == "calls") benchmark::MeasureCalls(arguments);
    if (part == "data") benchmark::MeasureData(arguments);
    if (part == "start") benchmark::MeasureStart(arguments);
    if (part == "deaths") benchmark::MeasureDeaths(arguments);
  }
  return 0;
}

// Prints one line of JSON for each metric, measured on private clusters.
#include <CLI/CLI.hpp>

#include "tests/benchmark/metrics.h"

int main(int argc, char** argv) {
  namespace benchmark = twinkle::benchmark;
  twinkle::ServeIfWorker(argc, argv);
  benchmark::Arguments arguments{argc, argv};
  std::vector<std::string> parts = {"calls", "data", "start", "deaths", "scale", "collectives"};
  bool victim = false;
  CLI::App app(
      "Measures what calls, data, start, deaths, many ranks and what ranks do together cost on private clusters of "
      "this machine.");
  app.add_flag("--quick", arguments.quick, "Few samples: that it works, not how fast");
  app.add_option("parts", parts, "calls, data, start, deaths, scale, collectives")
      ->check(CLI::IsMember({"calls", "data", "start", "deaths", "scale", "collectives"}))
      ->capture_default_str();
  double soak_seconds = 0;
  app.add_option("--soak", soak_seconds, "Instead: everything at full speed for so many seconds, and its memory");
  int64_t megabytes = 0;
  int everywhere = 0;
  app.add_option("--hosts", megabytes,
                 "Instead, on a cluster of machines: values of so many MiB from one to the other");
  app.add_option("--everywhere", everywhere, "With --hosts: and from one to so many ranks");
  app.add_flag("--victim", victim)->group("");  // to be killed
  CLI11_PARSE(app, argc, argv);
  if (victim) return benchmark::RunVictim(arguments);
  if (soak_seconds > 0) {
    benchmark::MeasureSoak(arguments, soak_seconds);
    return 0;
  }
  if (megabytes > 0) {
    benchmark::MeasureHosts(arguments, megabytes, everywhere);
    return 0;
  }
  for (const std::string& part : parts) {
    if (part == "calls") benchmark::MeasureCalls(arguments);
    if (part == "data") benchmark::MeasureData(arguments);
    if (part == "start") benchmark::MeasureStart(arguments);
    if (part == "deaths") benchmark::MeasureDeaths(arguments);
    if (part == "scale") benchmark::MeasureScale(arguments);
    if (part == "collectives") benchmark::MeasureCollectives(arguments);
  }
  return 0;
}

// Timing, and one line of JSON for each metric.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

namespace twinkle::benchmark {

using Clock = std::chrono::steady_clock;

inline double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

template <class F>
double SecondsOf(F&& f) {
  const Clock::time_point begin = Clock::now();
  f();
  return SecondsSince(begin);
}

inline double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Proportional set size of a process; 0: there is none.
inline double PssMegabytes(int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  double kib = 0;
  for (std::string word; kib == 0 && file >> word;) {
    if (word == "Pss:") file >> kib;
  }
  return kib / 1024;
}

// How long each of `samples` calls took, in seconds times `unit`, after some that warm up.
inline std::vector<double> Latencies(int samples, double unit, const std::function<void()>& call) {
  for (int i = 0; i < samples / 10 + 1; ++i) call();
  std::vector<double> times;
  for (int i = 0; i < samples; ++i) times.push_back(SecondsOf(call) * unit);
  return times;
}

// `values` in the metric's unit. The value is the median; extra is more JSON: ",\"name\":1".
inline void Report(const char* metric, const char* unit, std::vector<double> values, const std::string& extra = {}) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[std::min(values.size() - 1, static_cast<size_t>(share * static_cast<double>(values.size())))];
  };
  std::printf(
      "{\"system\":\"twinkle\",\"metric\":\"%s\",\"value\":%.10g,\"unit\":\"%s\",\"samples\":%zu,\"p50\":%.10g,"
      "\"p99\":%.10g%s}\n",
      metric, at(0.5), unit, values.size(), at(0.5), at(0.99), extra.c_str());
  std::fflush(stdout);
}

}  // namespace twinkle::benchmark

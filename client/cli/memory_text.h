// What processes tell of themselves, as text.
#pragma once

#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::cli {

struct ReportOfProcess {
  v1::Process process;
  v1::ProcessReport report;
};

// How full each process is, and who holds what since when: at most that many lines of it.
std::string MemoryText(uint64_t job, const std::vector<ReportOfProcess>& reports, size_t most_lines);
std::string MemoryJson(uint64_t job, const std::vector<ReportOfProcess>& reports);

// Prometheus' text format; each line is labelled with job, group, rank, node and pid.
std::string MetricsText(uint64_t job, const std::vector<ReportOfProcess>& reports);

}  // namespace twinkle::cli

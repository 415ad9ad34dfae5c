// The reports of a job's processes, as text, JSON and metrics.
#pragma once

#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::cli {

struct ReportOfProcess {
  v1::Process process;
  v1::ProcessReport report;
};

// A table of how much memory each process's objects use, and a list of `most_lines` lines of who holds which objects,
// the largest first.
std::string MemoryText(uint64_t job, const std::vector<ReportOfProcess>& reports, size_t most_lines);
// The same as one JSON object.
std::string MemoryJson(uint64_t job, const std::vector<ReportOfProcess>& reports);

// The same in Prometheus' text format. Each line is labelled with job, group, rank, node and pid.
std::string MetricsText(uint64_t job, const std::vector<ReportOfProcess>& reports);

}  // namespace twinkle::cli

// The output of `twinkle status` and of the list of ended jobs.
#pragma once

#include <cstddef>
#include <string>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::cli {

// For people: a table of nodes, a table of jobs with their groups and components, and how the last few jobs have ended.
std::string StatusText(const v1::ClusterStatus& status, const std::string& driver);

// For programs: one JSON object with `driver`, `version`, `nodes` and `jobs`.
std::string StatusJson(const v1::ClusterStatus& status, const std::string& driver);

// For people: how the last `most` jobs have ended, the latest first.
std::string EndedJobsText(const v1::ClusterStatus& status, size_t most);
// For programs: one JSON object with `driver` and `ended_jobs`.
std::string EndedJobsJson(const v1::ClusterStatus& status, const std::string& driver, size_t most);

// A duration for people: "42 s", "3 min", "2 h", "5 d".
std::string AgeText(double seconds);

}  // namespace twinkle::cli

// What `twinkle status` prints.
#pragma once

#include <string>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::cli {

// For people: a table of nodes, one of jobs with their groups and components.
std::string StatusText(const v1::ClusterStatus& status, const std::string& driver);

// For programs: one JSON object with `driver`, `version`, `nodes` and `jobs`.
std::string StatusJson(const v1::ClusterStatus& status, const std::string& driver);

// "42 s", "3 min", "2 h", "5 d".
std::string AgeText(double seconds);

}  // namespace twinkle::cli

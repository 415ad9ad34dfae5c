// What follows from an event in the cluster: messages to nodes and programs, and records for the journal.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "driver/journal.h"
#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::driver {

using NodeId = uint64_t;
using JobNumber = uint64_t;

struct ToNode {
  NodeId node = 0;
  v1::DriverToNode message;
};
struct ToProgram {
  JobNumber job = 0;
  v1::DriverToProgram message;
};
// What the driver must do after an event: send messages, and write records of what has happened to the journal.
using Effects = std::vector<std::variant<ToNode, ToProgram, Record>>;

}  // namespace twinkle::driver

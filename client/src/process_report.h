// The report on itself that a process gives to commands.
#pragma once

#include <string>

#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/actor/process.h"
#include "runtime/memory/segment_pool.h"

namespace twinkle::internal {

// Makes the report. REQUIRES: called on the process's service queue.
v1::ProcessReport ReportOf(const actor::Process& process, const memory::SegmentPool& pool);

}  // namespace twinkle::internal

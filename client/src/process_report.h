// What a process tells commands of itself.
#pragma once

#include <string>

#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/actor/process.h"
#include "runtime/memory/segment_pool.h"

namespace twinkle::internal {

// On the process's service queue.
v1::ProcessReport ReportOf(const actor::Process& process, const memory::SegmentPool& pool);

}  // namespace twinkle::internal

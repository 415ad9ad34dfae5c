// What is measured. The metrics are named and defined as in other systems' benchmarks of their kind: latencies are
// medians, rates medians over batches, "touch" reads one number of each page.
#pragma once

#include "tests/benchmark/worker.h"

namespace twinkle::benchmark {

// call_sync_us, call_async_per_s, call_n_to_n_per_s, group_call_4_us, group_call_16_us, group_slice_dp_4_us.
void MeasureCalls(const Arguments& arguments);

// arg_1mib_us, put_256mib_gbs, put_256mib_prefaulted_gbs, get_256mib_gbs, actor_to_actor_256mib_ms, reshard_ms,
// reshard_bytes.
void MeasureData(const Arguments& arguments);

// cluster_start_s, shutdown_s, actors_ready_s_8, actors_ready_s_32, new_component_ms, actor_rss_mb.
void MeasureStart(const Arguments& arguments);

// kill_detect_ms, group_kill_detect_ms, driver_kill_cleanup_s.
void MeasureDeaths(const Arguments& arguments);

// group_call_in_memory_N_us for N ranks in this process, 1 to 256, and group_call_in_memory_us_per_rank, their slope.
void MeasureScale(const Arguments& arguments);

// allreduce_4_us (4 KiB), barrier_4_us, allreduce_4_64mib_gbs: of four ranks, inside a method.
void MeasureCollectives(const Arguments& arguments);

// soak_pss_mb, several times: of all processes together, while they do everything at full speed.
void MeasureSoak(const Arguments& arguments, double seconds);

// between_hosts_tcp_gbs, between_hosts_gbs, between_hosts_tokens_gbs: values of so many MiB from a rank on one machine
// to one on another; broadcast_s: one to `ranks_everywhere` ranks. Needs a cluster, whose nodes have one slot for a
// process each but for these ranks.
void MeasureHosts(const Arguments& arguments, int64_t megabytes, int ranks_everywhere);

// The program that the last of these kills: four ranks in a call, and a line on standard output once they are.
int RunVictim(const Arguments& arguments);

}  // namespace twinkle::benchmark

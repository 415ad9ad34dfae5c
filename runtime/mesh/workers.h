// What each worker of a component stands for in the component's mesh. With `workers` workers and a mesh of W ranks,
// worker i stands for the W / workers mesh ranks from i * (W / workers) on.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/device_mesh.h>

#include <vector>

namespace twinkle::mesh {

// The data rank of each worker, which is that of its first mesh rank. InvalidArgument with the reason
// mesh_worker_mismatch: the workers do not stand for the whole mesh. They do if their number divides W, the mesh's
// ranks are 0 to W - 1 in some order, and every data rank has the same number of workers, at least one.
absl::StatusOr<std::vector<int>> DataRanksOfWorkers(const DeviceMesh& mesh, int workers);

// The workers with a mesh rank in the last pipeline stage, in ascending order; without pp, all workers. Never empty.
// Errors as DataRanksOfWorkers.
absl::StatusOr<std::vector<int>> LastStageWorkers(const DeviceMesh& mesh, int workers);

// The workers whose results together make a whole: for each data rank, in their order, the smallest worker that has it,
// in the last pipeline stage if one is there. Errors as DataRanksOfWorkers.
absl::StatusOr<std::vector<int>> CollectWorkers(const DeviceMesh& mesh, int workers);

}  // namespace twinkle::mesh

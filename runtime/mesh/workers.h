// What each worker of a component stands for in the component's mesh. With `workers` workers and a
// mesh of W ranks worker i stands for the W / workers ranks from i * (W / workers) on.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/device_mesh.h>

#include <vector>

namespace twinkle::mesh {

// The data rank of each worker: that of its first rank. InvalidArgument with mesh_worker_mismatch
// when the workers do not stand for the whole mesh: their number divides W, the mesh's ranks are
// 0 to W - 1 in some order, and every data rank has the same number of workers, at least one.
absl::StatusOr<std::vector<int>> DataRanksOfWorkers(const DeviceMesh& mesh, int workers);

// The workers with a rank in the last pipeline stage, ascending; all of them without pp. Never
// empty. Fails as DataRanksOfWorkers does.
absl::StatusOr<std::vector<int>> LastStageWorkers(const DeviceMesh& mesh, int workers);

// Whose results make a whole: for each data rank, in their order, the smallest worker that has it,
// out of the last pipeline stage where that has one. Fails as DataRanksOfWorkers does.
absl::StatusOr<std::vector<int>> CollectWorkers(const DeviceMesh& mesh, int workers);

}  // namespace twinkle::mesh

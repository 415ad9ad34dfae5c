#include "runtime/mesh/workers.h"

#include "runtime/base/status.h"
#include "tests/support/catch.h"

namespace twinkle::mesh {
namespace {

using Ints = std::vector<int>;

void CheckMismatch(const DeviceMesh& mesh, int workers) {
  const std::string reason = "mesh_worker_mismatch";
  CHECK(base::ReasonOf(DataRanksOfWorkers(mesh, workers).status()) == reason);
  CHECK(base::ReasonOf(LastStageWorkers(mesh, workers).status()) == reason);
  CHECK(base::ReasonOf(CollectWorkers(mesh, workers).status()) == reason);
}

TEST_CASE("one worker for each rank") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.pp = 2, .dp = 2, .tp = 2});
  CHECK(*DataRanksOfWorkers(mesh, 8) == Ints{0, 0, 1, 1, 0, 0, 1, 1});
  CHECK(*LastStageWorkers(mesh, 8) == Ints{4, 5, 6, 7});
  CHECK(*CollectWorkers(mesh, 8) == Ints{4, 6});
}

TEST_CASE("a worker with several ranks has the data rank of the first") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.dp = 2, .tp = 4});
  CHECK(*DataRanksOfWorkers(mesh, 2) == Ints{0, 1});
  CHECK(*DataRanksOfWorkers(mesh, 4) == Ints{0, 0, 1, 1});
  CHECK(*CollectWorkers(mesh, 4) == Ints{0, 2});
}

TEST_CASE("workers are ranks, not positions, and collected in data-rank order") {
  const DeviceMesh mesh = *DeviceMesh::FromShape({2, 2}, {"pp", "dp"}, {3, 2, 1, 0});
  CHECK(*DataRanksOfWorkers(mesh, 4) == Ints{1, 0, 1, 0});
  CHECK(*LastStageWorkers(mesh, 4) == Ints{0, 1});
  CHECK(*CollectWorkers(mesh, 4) == Ints{1, 0});
}

TEST_CASE("without pp every worker is in the last stage, ascending") {
  const DeviceMesh mesh = *DeviceMesh::FromShape({3}, {"dp"}, {2, 0, 1});
  CHECK(*LastStageWorkers(mesh, 3) == Ints{0, 1, 2});
}

TEST_CASE("a data rank that the last stage lacks is collected from an earlier one") {
  // Worker 0 holds ranks 0 and 1, the first stage, and stands for data rank 0; worker 1 for 1.
  const DeviceMesh mesh = *DeviceMesh::FromShape({2, 2}, {"pp", "dp"}, {0, 1, 3, 2});
  CHECK(*DataRanksOfWorkers(mesh, 2) == Ints{0, 1});
  CHECK(*LastStageWorkers(mesh, 2) == Ints{1});
  CHECK(*CollectWorkers(mesh, 2) == Ints{0, 1});
}

TEST_CASE("workers that do not stand for the whole mesh are refused") {
  CheckMismatch(*DeviceMesh::FromSizes({.dp = 2}), 0);
  CheckMismatch(*DeviceMesh::FromSizes({.dp = 2}), 3);             // more workers than ranks
  CheckMismatch(*DeviceMesh::FromSizes({.dp = 3, .tp = 2}), 4);    // does not divide
  CheckMismatch(*DeviceMesh::FromSizes({.fsdp = 2, .dp = 2}), 2);  // data ranks without a worker
  CheckMismatch(*DeviceMesh::FromSizes({.pp = 2, .dp = 2}), 2);    // both stand for data rank 0
  CheckMismatch(*DeviceMesh::FromShape({4}, {"dp"}, {4, 5, 6, 7}), 4);
}

}  // namespace
}  // namespace twinkle::mesh

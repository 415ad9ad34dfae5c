#include "runtime/mesh/workers.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "runtime/base/status.h"

namespace twinkle::mesh {
namespace {

absl::Status Mismatch(int workers, const std::string& why) {
  return base::Refuse("mesh_worker_mismatch", absl::StrCat(workers, workers == 1 ? " worker does" : " workers do",
                                                           " not stand for the whole mesh: ", why));
}

// Whether each of the `parts` data ranks occurs equally often.
bool IsBalanced(const std::vector<int>& data_ranks, int parts) {
  if (data_ranks.size() % parts != 0) return false;  // so there are no more parts than workers
  std::vector<size_t> count(parts);
  for (int data_rank : data_ranks) ++count[data_rank];
  return std::all_of(count.begin(), count.end(), [&](size_t workers) { return workers == data_ranks.size() / parts; });
}

}  // namespace

absl::StatusOr<std::vector<int>> DataRanksOfWorkers(const DeviceMesh& mesh, int workers) {
  const int world_size = mesh.world_size();
  if (workers < 1 || world_size % workers != 0)
    return Mismatch(workers, absl::StrCat("its world size is ", world_size, ", which their number does not divide"));
  const int ranks_each = world_size / workers;
  const std::vector<int> ranks = mesh.ranks();
  const std::vector<int> data_ranks_in_mesh_order = mesh.DataRanks();
  std::vector<int> data_ranks(workers);
  for (size_t position = 0; position < ranks.size(); ++position) {
    const int rank = ranks[position];  // no rank occurs twice, so they are 0 to W - 1 if none is larger
    if (rank >= world_size)
      return Mismatch(workers, absl::StrCat("its ranks are not 0 to ", world_size - 1, " but include ", rank));
    if (rank % ranks_each == 0) data_ranks[rank / ranks_each] = data_ranks_in_mesh_order[position];
  }
  if (!IsBalanced(data_ranks, mesh.data_world_size()))
    return Mismatch(workers, absl::StrCat("each of its ", mesh.data_world_size(),
                                          " data ranks needs the same number of workers, at least "
                                          "one; a worker has that of the first of its ",
                                          ranks_each, " ranks"));
  return data_ranks;
}

absl::StatusOr<std::vector<int>> LastStageWorkers(const DeviceMesh& mesh, int workers) {
  const auto checked = DataRanksOfWorkers(mesh, workers);
  if (!checked.ok()) return checked.status();
  const int ranks_each = mesh.world_size() / workers;
  std::vector<int> last = mesh.PpLastRanks();
  for (int& rank : last) rank /= ranks_each;
  std::sort(last.begin(), last.end());  // without pp they are in mesh order
  last.erase(std::unique(last.begin(), last.end()), last.end());
  return last;
}

absl::StatusOr<std::vector<int>> CollectWorkers(const DeviceMesh& mesh, int workers) {
  TWINKLE_ASSIGN_OR_RETURN(const std::vector<int> data_ranks, DataRanksOfWorkers(mesh, workers));
  TWINKLE_ASSIGN_OR_RETURN(std::vector<int> candidates, LastStageWorkers(mesh, workers));
  // In order of preference: the last stage first, then all, for data ranks it does not have.
  const size_t last_stage = candidates.size();
  candidates.resize(last_stage + workers);
  std::iota(candidates.begin() + static_cast<std::ptrdiff_t>(last_stage), candidates.end(), 0);
  std::vector<int> chosen(mesh.data_world_size(), -1);
  for (int worker : candidates) {
    int& winner = chosen[data_ranks[worker]];
    if (winner < 0) winner = worker;
  }
  return chosen;
}

}  // namespace twinkle::mesh

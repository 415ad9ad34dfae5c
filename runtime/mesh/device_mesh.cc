#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <twinkle/device_mesh.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <numeric>

#include "runtime/base/status.h"
#include "runtime/mesh/share.h"

namespace twinkle {
namespace {

constexpr std::array<std::string_view, 7> kDimNames = {"dp", "fsdp", "tp", "pp", "cp", "ep", "ep_fsdp"};

// A name in a form fit for a message. It may come from the network, like everything that is checked here.
std::string Quoted(std::string_view name) {
  return absl::StrCat("'", absl::CHexEscape(std::string(name.substr(0, 32))), "'");
}

// The number of ranks of a shape. `names` are for texts only, and may be too few.
absl::StatusOr<int> CountRanks(const std::vector<int>& shape, const std::vector<std::string>& names) {
  int64_t count = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 1) {
      return base::Refuse(
          "bad_size",
          absl::StrCat("mesh dimension ", i < names.size() ? Quoted(names[i]) : absl::StrCat(i), " has size ", shape[i],
                       "; sizes are at least 1, but one may be -1 when a world size above 1 says "
                       "how large it has to be"));
    }
    count *= shape[i];  // at most 2^24 * 2^31: no overflow
    if (count > DeviceMesh::kMaxWorldSize) {
      return base::Refuse("bad_size", absl::StrCat("a mesh has at most ", DeviceMesh::kMaxWorldSize,
                                                   " ranks; these sizes multiply to more"));
    }
  }
  return static_cast<int>(count);
}

// Computes the one size that may be -1, and compares the product with the world size, if one was given.
absl::Status FitToWorld(int world_size, const std::vector<std::string>& names, std::vector<int>& shape) {
  if (world_size < 1)
    return base::Refuse("bad_size", absl::StrCat("the world size of a mesh is ", world_size, "; it is at least 1"));
  if (world_size == 1) return absl::OkStatus();
  const auto open = std::find(shape.begin(), shape.end(), -1);
  if (open != shape.end()) *open = 1;
  TWINKLE_ASSIGN_OR_RETURN(int count, CountRanks(shape, names));
  if (open != shape.end() && world_size % count == 0) {
    *open = world_size / count;
    return absl::OkStatus();
  }
  if (count == world_size) return absl::OkStatus();
  return base::Refuse("size_mismatch",
                      absl::StrCat("the sizes of the mesh multiply to ", count, ", which ",
                                   open == shape.end() ? "is not" : "does not divide", " the world size ", world_size));
}

absl::Status CheckNames(const std::vector<int>& shape, const std::vector<std::string>& names) {
  if (names.empty()) return base::Refuse("dim_names_missing", "the dimensions of a mesh need names");
  if (names.size() != shape.size()) {
    return base::Refuse("dim_names_mismatch", absl::StrCat("the mesh has ", shape.size(), " dimensions, but ",
                                                           names.size(), " names for them"));
  }
  for (const std::string& name : names) {
    if (std::find(kDimNames.begin(), kDimNames.end(), name) == kDimNames.end())
      return base::Refuse("unknown_dim_name", absl::StrCat("no mesh dimension is called ", Quoted(name),
                                                           "; there are dp, fsdp, tp, pp, cp, ep and ep_fsdp"));
  }
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) != name)
      return base::Refuse("duplicate_dim_name", absl::StrCat("the mesh dimension ", Quoted(*name), " is named twice"));
  }
  return absl::OkStatus();
}

absl::Status CheckRanks(int world_size, std::vector<int> ranks) {
  if (ranks.empty()) return absl::OkStatus();
  std::sort(ranks.begin(), ranks.end());
  if (ranks.front() < 0)
    return base::Refuse("bad_size", absl::StrCat("rank ", ranks.front(), " of a mesh; ranks are 0 or more"));
  const auto different = std::unique(ranks.begin(), ranks.end()) - ranks.begin();
  if (different == world_size && ranks.size() == static_cast<size_t>(world_size)) return absl::OkStatus();
  return base::Refuse("size_mismatch", absl::StrCat("the shape of the mesh has ", world_size, " ranks, but ",
                                                    ranks.size(), " are listed, ", different, " of them different"));
}

absl::Status CheckPositive(const char* name, std::optional<int> size) {
  if (size.value_or(1) >= 1) return absl::OkStatus();
  return base::Refuse("bad_size", absl::StrCat(name, " of a mesh is ", *size, "; sizes are at least 1"));
}

}  // namespace

Answer<DeviceMesh> DeviceMesh::FromSizes(MeshSizes sizes) {
  DeviceMesh mesh;
  mesh.shape_.clear();
  mesh.dim_names_.clear();
  const auto add = [&mesh](const char* name, std::optional<int> size) {
    if (!size) return;
    mesh.dim_names_.push_back(name);
    mesh.shape_.push_back(*size);
  };
  add("fsdp", sizes.fsdp);
  add("pp", sizes.pp);
  add("dp", sizes.dp.value_or(1));
  add("cp", sizes.cp);
  add("tp", sizes.tp);
  TWINKLE_RETURN_IF_ERROR(FitToWorld(sizes.world_size.value_or(1), mesh.dim_names_, mesh.shape_));
  const int ulysses = sizes.ulysses.value_or(0);
  mesh.ulysses_ = ulysses == 0 ? 1 : ulysses;
  mesh.ep_ = sizes.ep;
  mesh.etp_ = sizes.etp;
  mesh.ep_fsdp_ = sizes.ep_fsdp;
  mesh.vpp_ = sizes.vpp;
  TWINKLE_RETURN_IF_ERROR(mesh.Validate());
  return mesh;
}

Answer<DeviceMesh> DeviceMesh::FromShape(std::vector<int> shape, std::vector<std::string> names, std::vector<int> ranks,
                                         int ulysses) {
  DeviceMesh mesh;
  mesh.shape_ = std::move(shape);
  mesh.dim_names_ = std::move(names);
  mesh.ranks_ = std::move(ranks);
  mesh.ulysses_ = ulysses == 0 ? 1 : ulysses;
  TWINKLE_RETURN_IF_ERROR(mesh.Validate());
  // 0, 1, 2, ... has one form only, the cheap one: meshes that are the same compare equal.
  if (std::is_sorted(mesh.ranks_.begin(), mesh.ranks_.end()) && !mesh.ranks_.empty() &&
      mesh.ranks_.back() == mesh.world_size() - 1)
    mesh.ranks_.clear();
  return mesh;
}

absl::Status DeviceMesh::Validate() const {
  TWINKLE_ASSIGN_OR_RETURN(const int count, CountRanks(shape_, dim_names_));
  TWINKLE_RETURN_IF_ERROR(CheckNames(shape_, dim_names_));
  TWINKLE_RETURN_IF_ERROR(CheckRanks(count, ranks_));
  TWINKLE_RETURN_IF_ERROR(CheckPositive("ep", ep_));
  TWINKLE_RETURN_IF_ERROR(CheckPositive("etp", etp_));
  TWINKLE_RETURN_IF_ERROR(CheckPositive("ep_fsdp", ep_fsdp_));
  TWINKLE_RETURN_IF_ERROR(CheckPositive("vpp", vpp_));
  if (count % ep_.value_or(1) != 0)
    return base::Refuse("expert_not_dividing",
                        absl::StrCat("ep is ", *ep_, ", which does not ", "divide the world size ", count));
  TWINKLE_RETURN_IF_ERROR(CheckPositive("ulysses", ulysses_));
  const int data = std::max(DimSize("dp"), 1) * std::max(DimSize("fsdp"), 1);
  if (data % ulysses_ != 0)
    return base::Refuse("ulysses_not_dividing", absl::StrCat("ulysses is ", ulysses_, ", which does not divide the ",
                                                             data, " ranks of dp and fsdp"));
  return absl::OkStatus();
}

int DeviceMesh::world_size() const { return std::accumulate(shape_.begin(), shape_.end(), 1, std::multiplies<>()); }

std::vector<int> DeviceMesh::ranks() const {
  if (!ranks_.empty()) return ranks_;
  std::vector<int> ranks(world_size());
  std::iota(ranks.begin(), ranks.end(), 0);
  return ranks;
}

int DeviceMesh::data_world_size() const { return std::max(DimSize("dp"), 1) * std::max(DimSize("fsdp"), 1) / ulysses_; }

int DeviceMesh::DimSize(std::string_view name) const {
  const auto found = std::find(dim_names_.begin(), dim_names_.end(), name);
  return found == dim_names_.end() ? 0 : shape_[found - dim_names_.begin()];
}

std::optional<int> DeviceMesh::DimRank(int rank, std::string_view name) const {
  const std::optional<int> position = PositionOf(rank);
  if (!position || DimSize(name) == 0) return std::nullopt;
  return CoordinateAt(*position, name);
}

std::optional<int> DeviceMesh::DataRank(int rank) const {
  const std::optional<int> position = PositionOf(rank);
  if (!position) return std::nullopt;
  return DataRankAt(*position);
}

std::vector<int> DeviceMesh::DataRanks() const {
  std::vector<int> data_ranks(world_size());
  for (size_t i = 0; i < data_ranks.size(); ++i) data_ranks[i] = DataRankAt(static_cast<int>(i));
  return data_ranks;
}

std::vector<int> DeviceMesh::TpRanks(int rank) const {
  const auto tp = std::find(dim_names_.begin(), dim_names_.end(), "tp");
  if (tp == dim_names_.end()) return {rank};
  const std::optional<int> position = PositionOf(rank);
  if (!position) return {};
  const auto dim = shape_.begin() + (tp - dim_names_.begin());
  const int stride = std::accumulate(dim + 1, shape_.end(), 1, std::multiplies<>());
  const int first = *position - CoordinateAt(*position, "tp") * stride;
  std::vector<int> group(*dim);
  for (int i = 0; i < *dim; ++i) group[i] = RankAt(first + i * stride);
  std::sort(group.begin(), group.end());
  return group;
}

std::vector<int> DeviceMesh::PpFirstRanks() const { return RanksWhere("pp", 0); }

std::vector<int> DeviceMesh::PpLastRanks() const { return RanksWhere("pp", DimSize("pp") - 1); }

bool DeviceMesh::IsPpFirst(int rank) const {
  const std::optional<int> position = PositionOf(rank);
  return position && CoordinateAt(*position, "pp") == 0;
}

bool DeviceMesh::IsPpLast(int rank) const {
  const std::optional<int> position = PositionOf(rank);
  return position && CoordinateAt(*position, "pp") == std::max(DimSize("pp"), 1) - 1;
}

std::vector<int> DeviceMesh::TpLastRanks() const { return RanksWhere("tp", DimSize("tp") - 1); }

std::vector<int> DeviceMesh::CollectRanks() const {
  // A mesh is a full grid: every data rank has a rank in every stage, so also in the last.
  const int last_stage = std::max(DimSize("pp"), 1) - 1;
  std::vector<int> smallest(data_world_size(), std::numeric_limits<int>::max());
  for (int position = 0, end = world_size(); position < end; ++position) {
    if (CoordinateAt(position, "pp") != last_stage) continue;
    int& chosen = smallest[DataRankAt(position)];
    chosen = std::min(chosen, RankAt(position));
  }
  std::sort(smallest.begin(), smallest.end());
  return smallest;
}

Answer<std::pair<int64_t, int64_t>> DeviceMesh::Slice(int64_t length, int data_rank) const {
  if (length < 0) return absl::InvalidArgumentError(absl::StrCat("no slice of a negative length (", length, ")"));
  const int parts = data_world_size();
  if (parts == 1) return std::pair<int64_t, int64_t>(0, length);
  if (data_rank < 0 || data_rank >= parts) {
    return absl::InvalidArgumentError(
        absl::StrCat("data rank ", data_rank, " does not exist: the mesh has data ranks 0 to ", parts - 1));
  }
  const mesh::Range range = mesh::Share(length, parts, data_rank);
  return std::pair(range.begin, range.end);
}

std::optional<int> DeviceMesh::ep_fsdp() const {
  if (ep_fsdp_ || ep_.value_or(1) == 1) return ep_fsdp_;
  return world_size() / *ep_;
}

std::optional<int> DeviceMesh::PositionOf(int rank) const {
  if (ranks_.empty()) return rank >= 0 && rank < world_size() ? std::optional(rank) : std::nullopt;
  const auto found = std::find(ranks_.begin(), ranks_.end(), rank);
  if (found == ranks_.end()) return std::nullopt;
  return static_cast<int>(found - ranks_.begin());
}

int DeviceMesh::RankAt(int position) const { return ranks_.empty() ? position : ranks_[position]; }

int DeviceMesh::CoordinateAt(int position, std::string_view name) const {
  for (size_t dim = shape_.size(); dim-- > 0;) {
    if (dim_names_[dim] == name) return position % shape_[dim];
    position /= shape_[dim];
  }
  return 0;
}

int DeviceMesh::DataRankAt(int position) const {
  const int data_parallel = CoordinateAt(position, "dp") * std::max(DimSize("fsdp"), 1);
  return (data_parallel + CoordinateAt(position, "fsdp")) / ulysses_;
}

std::vector<int> DeviceMesh::RanksWhere(std::string_view name, int coordinate) const {
  if (DimSize(name) == 0) return ranks();
  std::vector<int> found;
  for (int position = 0, end = world_size(); position < end; ++position) {
    if (CoordinateAt(position, name) == coordinate) found.push_back(RankAt(position));
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace twinkle

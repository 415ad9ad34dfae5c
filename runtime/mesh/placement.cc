#include "runtime/mesh/placement.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <utility>

#include "runtime/base/text_table.h"

namespace twinkle::mesh {
namespace {

constexpr size_t kRanksUnfolded = 16;
constexpr size_t kItemsShown = 4;
constexpr int kGridColumns = 8;
constexpr size_t kGridRows = 64;

using Table = std::vector<base::TableRow>;

void DropEmptyColumns(Table& table) {
  for (size_t column = table[0].size(); column-- > 0;) {
    const bool empty =
        std::all_of(table.begin() + 1, table.end(), [&](const base::TableRow& row) { return row[column].empty(); });
    if (!empty) continue;
    for (base::TableRow& row : table) row.erase(row.begin() + static_cast<std::ptrdiff_t>(column));
  }
}

std::string Counted(size_t count, const char* noun) { return absl::StrCat(count, " ", noun, count == 1 ? "" : "s"); }

std::string Span(int first, int last) { return first == last ? absl::StrCat(first) : absl::StrCat(first, "–", last); }

// The items in a list; of many items the first, the last, and their number.
std::string Listed(const std::vector<std::string>& items) {
  if (items.size() <= kItemsShown) return absl::StrJoin(items, ", ");
  return absl::StrCat(items.front(), " … ", items.back(), " (", items.size(), ")");
}

// The end of the run of rows that begins at `begin`: in a large group, consecutive ranks of one node.
size_t RunEnd(const std::vector<PlacedRank>& ranks, size_t begin) {
  size_t end = begin + 1;
  if (ranks.size() <= kRanksUnfolded) return end;
  while (end < ranks.size() && ranks[end].node == ranks[begin].node && ranks[end].rank == ranks[end - 1].rank + 1)
    ++end;
  return end;
}

Table RankTable(const std::vector<PlacedRank>& ranks) {
  Table table = {{"rank", "node", "process", "devices"}};
  for (size_t begin = 0, end = 0; begin < ranks.size(); begin = end) {
    end = RunEnd(ranks, begin);
    base::TableRow processes, devices;
    for (size_t i = begin; i < end; ++i) {
      if (!ranks[i].process.empty()) processes.push_back(ranks[i].process);
      devices.insert(devices.end(), ranks[i].devices.begin(), ranks[i].devices.end());
    }
    table.push_back(
        {Span(ranks[begin].rank, ranks[end - 1].rank), ranks[begin].node, Listed(processes), Listed(devices)});
  }
  DropEmptyColumns(table);
  return table;
}

// The dimensions to draw: those above 1, or any one if there are none.
std::vector<std::pair<std::string, int>> DrawnDims(const DeviceMesh& mesh) {
  std::vector<std::pair<std::string, int>> dims;
  for (size_t i = 0; i < mesh.shape().size(); ++i) {
    if (mesh.shape()[i] > 1) dims.emplace_back(mesh.dim_names()[i], mesh.shape()[i]);
  }
  if (dims.empty()) dims.emplace_back(mesh.dim_names().back(), mesh.shape().back());
  return dims;
}

// The grid of a mesh. The innermost dimension runs across, in several rows if it is long. The other dimensions run
// down, with a column each for their coordinates.
Table MeshTable(const DeviceMesh& mesh) {
  auto dims = DrawnDims(mesh);
  const auto [inner_name, inner] = dims.back();
  dims.pop_back();
  const bool folded = inner > kGridColumns;
  Table table(1);
  for (const auto& dim : dims) table[0].push_back(dim.first);
  if (folded) table[0].push_back(inner_name);
  for (int i = 0; i < std::min(inner, kGridColumns); ++i)
    table[0].push_back(folded ? absl::StrCat("+", i) : absl::StrCat(inner_name, " ", i));

  const std::vector<int> ranks = mesh.ranks();
  size_t drawn = 0;
  while (drawn < ranks.size() && table.size() <= kGridRows) {
    const int first = static_cast<int>(drawn % inner);
    const int end = std::min(first + kGridColumns, inner);
    base::TableRow row;
    for (const auto& dim : dims) row.push_back(absl::StrCat(*mesh.DimRank(ranks[drawn], dim.first)));
    if (folded) row.push_back(Span(first, end - 1));
    for (int i = first; i < end; ++i) row.push_back(absl::StrCat(ranks[drawn++]));
    row.resize(table[0].size());
    table.push_back(std::move(row));
  }
  if (drawn < ranks.size()) table.push_back(base::TableRow(table[0].size(), base::kMore));
  return table;
}

std::string DrawGroup(const PlacedGroup& group) {
  std::string text = absl::StrCat("Group ", group.name, ": ", Counted(group.ranks.size(), "rank"));
  if (!group.device_type.empty()) absl::StrAppend(&text, " on ", group.device_type);
  absl::StrAppend(&text, "\n");
  if (!group.ranks.empty()) text += base::BoxedTable(RankTable(group.ranks));
  return text;
}

std::string DrawComponent(const PlacedComponent& component) {
  const DeviceMesh& mesh = component.mesh;
  base::TableRow dims;
  for (size_t i = 0; i < mesh.shape().size(); ++i)
    dims.push_back(absl::StrCat(mesh.dim_names()[i], " ", mesh.shape()[i]));
  std::string text = absl::StrCat("Component ", component.name, " in group ", component.group, ": mesh ",
                                  absl::StrJoin(dims, " × "), ", ", Counted(mesh.data_world_size(), "data rank"));
  if (mesh.ulysses() > 1) absl::StrAppend(&text, ", ulysses ", mesh.ulysses());
  if (mesh.ep()) absl::StrAppend(&text, ", ep ", *mesh.ep());
  return absl::StrCat(text, "\n", base::BoxedTable(MeshTable(mesh)));
}

}  // namespace

std::string DrawPlacement(const Placement& placement) {
  std::vector<std::string> drawings;
  for (const PlacedGroup& group : placement.groups) drawings.push_back(DrawGroup(group));
  for (const PlacedComponent& component : placement.components) drawings.push_back(DrawComponent(component));
  return absl::StrJoin(drawings, "\n");
}

}  // namespace twinkle::mesh

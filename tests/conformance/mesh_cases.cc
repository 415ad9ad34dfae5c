#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "tests/conformance/cases.h"

namespace twinkle::conformance {
namespace {

constexpr std::array<std::string_view, 9> kSizeNames = {"fsdp", "pp", "dp", "cp", "tp", "ep", "etp", "ep_fsdp", "vpp"};

// ---- building
std::optional<int> SizeOr(const Json& sizes, const char* name) {
  const auto found = sizes.find(name);
  if (found == sizes.end() || found->is_null()) return std::nullopt;
  return found->get<int>();
}

absl::StatusOr<DeviceMesh> MeshOfSizes(const Json& description) {
  const Json& sizes = description.at("sizes");
  for (const auto& size : sizes.items()) {
    if (std::find(kSizeNames.begin(), kSizeNames.end(), size.key()) == kSizeNames.end()) {
      return base::Refuse("unknown_dim_name", absl::StrCat("no size is called ", size.key()));
    }
  }
  return DeviceMesh::FromSizes({.fsdp = SizeOr(sizes, "fsdp"),
                                .pp = SizeOr(sizes, "pp"),
                                .dp = SizeOr(sizes, "dp"),
                                .cp = SizeOr(sizes, "cp"),
                                .tp = SizeOr(sizes, "tp"),
                                .world_size = SizeOr(description, "world_size"),
                                .ulysses = SizeOr(description, "ulysses_size"),
                                .ep = SizeOr(sizes, "ep"),
                                .etp = SizeOr(sizes, "etp"),
                                .ep_fsdp = SizeOr(sizes, "ep_fsdp"),
                                .vpp = SizeOr(sizes, "vpp")});
}

template <class T>
std::vector<T> ListOr(const Json& description, const char* name) {
  const auto found = description.find(name);
  if (found == description.end() || found->is_null()) return {};
  return found->get<std::vector<T>>();
}

// ---- asking
Json OrNull(std::optional<int> number) { return number ? Json(*number) : Json(); }

bool Contains(const std::vector<int>& ranks, int rank) {
  return std::find(ranks.begin(), ranks.end(), rank) != ranks.end();
}

Json DimSizes(const DeviceMesh& mesh, const Json& expected) {
  Json sizes = Json::object();
  for (const auto& size : expected.items()) sizes[size.key()] = mesh.DimSize(size.key());
  return sizes;
}

Json Expert(const DeviceMesh& mesh, const Json&) {
  return {{"ep_size", OrNull(mesh.ep())},
          {"etp_size", mesh.etp()},
          {"etp_world_size", mesh.etp()},
          {"ep_fsdp_size", OrNull(mesh.ep_fsdp())},
          {"vpp_size", OrNull(mesh.vpp())}};
}

Json RankAnswer(const DeviceMesh& mesh, int rank, const std::string& query) {
  constexpr std::string_view kSuffix = "_rank";
  if (query == "rank") return rank;
  if (query == "data_rank") return OrNull(mesh.DataRank(rank));
  if (query == "tp_ranks") return mesh.TpRanks(rank);
  if (query == "is_pp_first") {
    const bool first = Contains(mesh.PpFirstRanks(), rank);
    return first == mesh.IsPpFirst(rank) ? Json(first) : Json("IsPpFirst and PpFirstRanks differ");
  }
  if (query == "is_pp_last") {
    const bool last = Contains(mesh.PpLastRanks(), rank);
    return last == mesh.IsPpLast(rank) ? Json(last) : Json("IsPpLast and PpLastRanks differ");
  }
  if (query.size() <= kSuffix.size() || !query.ends_with(kSuffix)) return "no such query";
  return OrNull(mesh.DimRank(rank, query.substr(0, query.size() - kSuffix.size())));
}

Json Ranks(const DeviceMesh& mesh, const Json& expected) {
  Json rows = Json::array();
  for (const Json& row : expected) {
    Json answers = Json::object();
    for (const auto& query : row.items()) {
      answers[query.key()] = RankAnswer(mesh, row.at("rank").get<int>(), query.key());
    }
    rows.push_back(std::move(answers));
  }
  return rows;
}

Json Slices(const DeviceMesh& mesh, const Json& expected) {
  Json rows = Json::array();
  for (const Json& row : expected) {
    const auto slice = mesh.Slice(row.at("length").get<int64_t>(), row.at("rank").get<int>());
    Json answer = row;
    answer["begin"] = slice.ok() ? Json(slice->first) : Json();
    answer["end"] = slice.ok() ? Json(slice->second) : Json();
    rows.push_back(std::move(answer));
  }
  return rows;
}

// What the mesh answers to a query; `expected` says for which ranks and lengths.
Json Answer(const DeviceMesh& mesh, const std::string& query, const Json& expected) {
  if (query == "world_size") return mesh.world_size();
  if (query == "mesh_shape") return mesh.shape();
  if (query == "mesh_dim_names") return mesh.dim_names();
  if (query == "mesh_ranks") return mesh.ranks();
  if (query == "dim_sizes") return DimSizes(mesh, expected);
  if (query == "data_world_size") return mesh.data_world_size();
  if (query == "pp_first_ranks") return mesh.PpFirstRanks();
  if (query == "pp_last_ranks") return mesh.PpLastRanks();
  if (query == "tp_last_ranks") return mesh.TpLastRanks();
  if (query == "collect_ranks") return mesh.CollectRanks();
  if (query == "expert") return Expert(mesh, expected);
  if (query == "ranks") return Ranks(mesh, expected);
  if (query == "slices") return Slices(mesh, expected);
  return "no such query";
}

// The first row that differs, of answers that are rows; else everything.
Mismatch Difference(const std::string& query, const Json& expected, const Json& came) {
  const bool rows = expected.is_array() && came.is_array() && expected.size() == came.size();
  for (size_t i = 0; rows && i < expected.size(); ++i) {
    if (expected[i] != came[i]) {
      const std::string where = absl::StrCat(query, "[", i, "] ");
      return {where + Text(expected[i]), where + Text(came[i])};
    }
  }
  return {query + " " + Text(expected), query + " " + Text(came)};
}

// Only the slice of a data rank that does not exist can fail once there is a mesh.
Verdict CompareFailingQuery(const DeviceMesh& mesh, const Json& query) {
  const bool fails = query == "slices" && !mesh.Slice(1, mesh.data_world_size()).ok();
  if (fails) return std::nullopt;
  return Mismatch{absl::StrCat("an error at ", Text(query)), "an answer"};
}

}  // namespace

absl::StatusOr<DeviceMesh> MeshOf(const Json& description) {
  if (description.contains("sizes")) return MeshOfSizes(description);
  return DeviceMesh::FromShape(ListOr<int>(description, "mesh_shape"),
                               ListOr<std::string>(description, "mesh_dim_names"),
                               ListOr<int>(description, "mesh_ranks"), SizeOr(description, "ulysses_size").value_or(1));
}

absl::StatusOr<std::optional<DeviceMesh>> MeshOfCase(const Json& golden) {
  const auto found = golden.find("mesh");
  if (found == golden.end() || found->is_null()) return std::optional<DeviceMesh>();
  TWINKLE_ASSIGN_OR_RETURN(DeviceMesh mesh, MeshOf(*found));
  return std::optional(std::move(mesh));
}

Verdict RunMeshCase(const Json& golden) {
  const Json failing = golden.value("error_at", Json::array());
  const absl::StatusOr<DeviceMesh> mesh = MeshOf(golden.at("mesh"));
  const bool no_mesh = std::find(failing.begin(), failing.end(), "construct") != failing.end();
  if (!mesh.ok() || no_mesh || (golden.contains("expect_error") && failing.empty())) {
    return CompareError(golden, mesh.status(), "a mesh");
  }
  for (const Json& query : failing) {
    if (Verdict verdict = CompareFailingQuery(*mesh, query)) return verdict;
  }
  const Json expect = golden.value("expect", Json::object());
  for (const auto& query : expect.items()) {
    const Json came = Answer(*mesh, query.key(), query.value());
    if (came != query.value()) return Difference(query.key(), query.value(), came);
  }
  return std::nullopt;
}

}  // namespace twinkle::conformance

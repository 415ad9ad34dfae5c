#include "runtime/mesh/placement.h"

#include <absl/strings/str_cat.h>

#include "tests/support/catch.h"

namespace twinkle::mesh {
namespace {

PlacedGroup GroupOf(int ranks, int per_node) {
  PlacedGroup group{"policy", "cuda", {}};
  for (int i = 0; i < ranks; ++i)
    group.ranks.push_back({i, absl::StrCat("n", i / per_node), "", {absl::StrCat(i % per_node)}});
  return group;
}

TEST_CASE("a small group shows each rank, and leaves out what nobody has") {
  PlacedGroup group = GroupOf(4, 2);
  group.ranks[3].node = "nodé";  // columns align by characters, not bytes
  CHECK(DrawPlacement({{group}, {}}) == R"(Group policy: 4 ranks on cuda
┌──────┬──────┬─────────┐
│ rank │ node │ devices │
├──────┼──────┼─────────┤
│    0 │ n0   │       0 │
│    1 │ n0   │       1 │
│    2 │ n1   │       0 │
│    3 │ nodé │       1 │
└──────┴──────┴─────────┘
)");
}

TEST_CASE("a large group shows one row for each node") {
  CHECK(DrawPlacement({{GroupOf(24, 8)}, {}}) == R"(Group policy: 24 ranks on cuda
┌───────┬──────┬───────────┐
│ rank  │ node │ devices   │
├───────┼──────┼───────────┤
│ 0–7   │ n0   │ 0 … 7 (8) │
│ 8–15  │ n1   │ 0 … 7 (8) │
│ 16–23 │ n2   │ 0 … 7 (8) │
└───────┴──────┴───────────┘
)");
}

TEST_CASE("a mesh is a grid with its innermost dimension across") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.pp = 2, .dp = 2, .cp = 1, .tp = 2});
  CHECK(DrawPlacement({{}, {{"Policy", "policy", mesh}}}) ==
        R"(Component Policy in group policy: mesh pp 2 × dp 2 × cp 1 × tp 2, 2 data ranks
┌────┬────┬──────┬──────┐
│ pp │ dp │ tp 0 │ tp 1 │
├────┼────┼──────┼──────┤
│  0 │  0 │    0 │    1 │
│  0 │  1 │    2 │    3 │
│  1 │  0 │    4 │    5 │
│  1 │  1 │    6 │    7 │
└────┴────┴──────┴──────┘
)");
}

TEST_CASE("a long dimension wraps") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.dp = 20, .ulysses = 2});
  CHECK(DrawPlacement({{}, {{"Policy", "policy", mesh}}}) ==
        R"(Component Policy in group policy: mesh dp 20, 10 data ranks, ulysses 2
┌───────┬────┬────┬────┬────┬────┬────┬────┬────┐
│ dp    │ +0 │ +1 │ +2 │ +3 │ +4 │ +5 │ +6 │ +7 │
├───────┼────┼────┼────┼────┼────┼────┼────┼────┤
│ 0–7   │  0 │  1 │  2 │  3 │  4 │  5 │  6 │  7 │
│ 8–15  │  8 │  9 │ 10 │ 11 │ 12 │ 13 │ 14 │ 15 │
│ 16–19 │ 16 │ 17 │ 18 │ 19 │    │    │    │    │
└───────┴────┴────┴────┴────┴────┴────┴────┴────┘
)");
}

TEST_CASE("a huge mesh is cut short") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.dp = 4096, .tp = 2});
  const std::string text = DrawPlacement({{}, {{"Policy", "policy", mesh}}});
  CHECK(text.find("│ 63 │  126 │  127 │\n│  … │    … │    … │\n└") != std::string::npos);
}

TEST_CASE("one rank alone, and nothing at all") {
  CHECK(DrawPlacement({{}, {{"Loader", "data", DeviceMesh()}}}) ==
        R"(Component Loader in group data: mesh dp 1, 1 data rank
┌──────┐
│ dp 0 │
├──────┤
│    0 │
└──────┘
)");
  CHECK(DrawPlacement({}).empty());
}

}  // namespace
}  // namespace twinkle::mesh

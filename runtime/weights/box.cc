#include "runtime/weights/box.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>

namespace twinkle::weights {

Box Whole(const std::vector<int64_t>& shape) {
  Box box;
  for (const int64_t size : shape) box.push_back({0, size});
  return box;
}

std::vector<int64_t> ExtentsOf(const Box& box) {
  std::vector<int64_t> extents;
  for (const Range& range : box) extents.push_back(range.size());
  return extents;
}

int64_t Volume(const Box& box) {
  int64_t volume = 1;
  for (const Range& range : box) volume *= std::max<int64_t>(range.size(), 0);
  return volume;
}

bool Contains(const Box& outer, const Box& inner) {
  for (size_t i = 0; i < outer.size(); ++i) {
    if (inner[i].begin < outer[i].begin || inner[i].end > outer[i].end) return false;
  }
  return true;
}

Box Intersect(const Box& a, const Box& b) {
  Box both = a;
  for (size_t i = 0; i < a.size(); ++i) {
    both[i].begin = std::max(a[i].begin, b[i].begin);
    both[i].end = std::max(both[i].begin, std::min(a[i].end, b[i].end));
  }
  return both;
}

void Subtract(const Box& whole, const Box& part, std::vector<Box>* rest) {
  const Box both = Intersect(whole, part);
  if (Volume(both) == 0) {
    if (Volume(whole) > 0) rest->push_back(whole);
    return;
  }
  // A slab before and one behind along each dimension. What is left between them is narrower along that dimension.
  Box core = whole;
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const Range side : {Range{core[i].begin, both[i].begin}, Range{both[i].end, core[i].end}}) {
      if (side.size() <= 0) continue;
      rest->push_back(core);
      rest->back()[i] = side;
    }
    core[i] = both[i];
  }
}

std::vector<Box> Without(const std::vector<Box>& boxes, const Box& part) {
  std::vector<Box> rest;
  for (const Box& box : boxes) Subtract(box, part, &rest);
  return rest;
}

Box Within(const Box& outer, const Box& part) {
  Box box = part;
  for (size_t i = 0; i < part.size(); ++i) {
    box[i].begin += outer[i].begin;
    box[i].end += outer[i].begin;
  }
  return box;
}

std::string BoxText(const Box& box) {
  const auto range = [](std::string* out, const Range& r) { absl::StrAppend(out, r.begin, ":", r.end); };
  return absl::StrCat("[", absl::StrJoin(box, ", ", range), "]");
}

}  // namespace twinkle::weights

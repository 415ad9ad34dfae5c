// A drawing, for people, of where everything runs.
#pragma once

#include <twinkle/device_mesh.h>

#include <string>
#include <vector>

namespace twinkle::mesh {

// One worker process. Whatever is empty for all ranks of a group is left out of the drawing.
struct PlacedRank {
  int rank = 0;
  std::string node;
  std::string process;  // as it shall be shown: "gpu-3/41207"
  std::vector<std::string> devices;
};

struct PlacedGroup {
  std::string name;
  std::string device_type;
  std::vector<PlacedRank> ranks;  // ascending
};

struct PlacedComponent {
  std::string name;
  std::string group;
  DeviceMesh mesh;
};

struct Placement {
  std::vector<PlacedGroup> groups;
  std::vector<PlacedComponent> components;
};

// UTF-8 text of whole lines: for each group a table of its ranks, for each component its mesh as a
// grid of ranks. Groups above 16 ranks show consecutive ranks of one node as one row, and a grid
// shows 8 ranks in a row and 64 rows at most, so that the text stays readable at any size. Empty
// for an empty placement.
std::string DrawPlacement(const Placement& placement);

}  // namespace twinkle::mesh

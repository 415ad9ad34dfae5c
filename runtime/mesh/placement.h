// Draws where the ranks and components of a session are, as text for people.
#pragma once

#include <twinkle/device_mesh.h>

#include <string>
#include <vector>

namespace twinkle::mesh {

// One worker process. A field that is empty for all ranks of a group is left out of the drawing.
struct PlacedRank {
  int rank = 0;
  std::string node;
  std::string process;  // as it is shown: "gpu-3/41207"
  std::vector<std::string> devices;
};

struct PlacedGroup {
  std::string name;
  std::string device_type;
  std::vector<PlacedRank> ranks;  // in ascending order
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

// The drawing: UTF-8 text of whole lines, with a table of ranks for each group, and the mesh as a grid of ranks for
// each component. To stay readable at any size, groups of more than 16 ranks show consecutive ranks of one node as one
// row, and a grid shows at most 8 ranks in a row and 64 rows. Empty for an empty placement.
std::string DrawPlacement(const Placement& placement);

}  // namespace twinkle::mesh

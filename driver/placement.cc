#include "driver/placement.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace twinkle::driver {
namespace {

// The devices of one virtual node that the job uses: their indexes, by type.
struct VirtualNode {
  int number = 0;
  std::map<std::string, std::set<int>> indexes;
};

std::vector<VirtualNode> VirtualNodes(const Wish& wish) {
  std::map<int, VirtualNode> nodes;
  for (const v1::Group& group : wish.groups) {
    if (group.device_type() == kCpu) continue;
    for (const auto& worker : group.workers()) {
      for (const int index : worker.devices()) {
        VirtualNode& node = nodes[index / wish.devices_per_node];
        node.number = index / wish.devices_per_node;
        node.indexes[group.device_type()].insert(index);
      }
    }
  }
  std::vector<VirtualNode> all;
  all.reserve(nodes.size());
  for (auto& entry : nodes) all.push_back(std::move(entry.second));
  return all;
}

bool Fits(const VirtualNode& wanted, const FreeNode& node) {
  return std::all_of(wanted.indexes.begin(), wanted.indexes.end(), [&](const auto& entry) {
    const auto found = node.devices.find(entry.first);
    return found != node.devices.end() && found->second.size() >= entry.second.size();
  });
}

struct Lease {
  uint64_t node = 0;
  int device = 0;
};
using Leases = std::map<int, Lease>;  // by device index

void Take(const VirtualNode& wanted, FreeNode& node, Leases* leases) {
  for (const auto& [type, indexes] : wanted.indexes) {
    std::vector<int>& free = node.devices[type];
    for (const int index : indexes) {
      (*leases)[index] = {node.id, free.front()};
      free.erase(free.begin());
    }
  }
}

// How many of the virtual nodes a node can take, and how many devices it would have left.
std::pair<int, size_t> Capacity(const std::vector<VirtualNode>& wanted, FreeNode node) {
  int taken = 0;
  Leases ignored;
  for (const VirtualNode& one : wanted) {
    if (!Fits(one, node)) continue;
    Take(one, node, &ignored);
    ++taken;
  }
  size_t left = 0;
  for (const auto& entry : node.devices) left += entry.second.size();
  return {taken, left};
}

// The number of free devices by type. Nodes with equal numbers have equal capacities.
std::map<std::string, size_t> FreeDevices(const FreeNode& node) {
  std::map<std::string, size_t> free;
  for (const auto& [type, devices] : node.devices) free[type] = devices.size();
  return free;
}

std::string Inventory(const std::vector<FreeNode>& nodes) {
  std::vector<std::string> lines;
  for (const FreeNode& node : nodes) {
    std::vector<std::string> has = {absl::StrCat(node.slots, " CPU slots")};
    for (const auto& [type, devices] : node.devices) has.push_back(absl::StrCat(devices.size(), " ", type));
    lines.push_back(absl::StrCat(node.name, ": ", absl::StrJoin(has, ", ")));
  }
  return lines.empty() ? "there are no nodes" : absl::StrCat("there is: ", absl::StrJoin(lines, "; "));
}

std::string Describe(const VirtualNode& wanted) {
  std::vector<std::string> needs;
  for (const auto& [type, indexes] : wanted.indexes) {
    needs.push_back(absl::StrCat(indexes.size(), " ", type, indexes.size() == 1 ? " device" : " devices"));
  }
  return absl::StrJoin(needs, " and ");
}

// The names of the groups that use a virtual node.
std::string UsersOf(const VirtualNode& wanted, const Wish& wish) {
  std::vector<std::string> names;
  for (const v1::Group& group : wish.groups) {
    const auto indexes = wanted.indexes.find(group.device_type());
    if (indexes == wanted.indexes.end()) continue;
    const bool uses = std::any_of(group.workers().begin(), group.workers().end(), [&](const auto& worker) {
      return std::any_of(worker.devices().begin(), worker.devices().end(),
                         [&](int index) { return indexes->second.count(index) > 0; });
    });
    if (uses) names.push_back(absl::StrCat("'", group.name(), "'"));
  }
  return absl::StrCat(names.size() == 1 ? "group " : "groups ", absl::StrJoin(names, ", "));
}

// The hint that a group may need no devices, where no node has any of its type, free or leased: people forget to say
// so.
std::string Hint(const VirtualNode& wanted, const std::vector<FreeNode>& nodes) {
  const bool known = std::any_of(nodes.begin(), nodes.end(), [&](const FreeNode& node) {
    return std::any_of(wanted.indexes.begin(), wanted.indexes.end(),
                       [&](const auto& entry) { return node.devices.count(entry.first) > 0; });
  });
  return known ? "" : "; a group that needs no devices says .device_type = \"cpu\"";
}

absl::StatusOr<Leases> LeaseDevices(const Wish& wish, std::vector<FreeNode>& nodes) {
  std::vector<VirtualNode> wanted = VirtualNodes(wish);
  Leases leases;
  while (!wanted.empty()) {
    std::map<std::map<std::string, size_t>, std::pair<int, size_t>> capacities;  // by free devices
    FreeNode* best = nullptr;
    std::tuple<int, size_t, std::string> best_rank;
    for (FreeNode& node : nodes) {
      const auto [known, is_new] = capacities.try_emplace(FreeDevices(node));
      if (is_new) known->second = Capacity(wanted, node);
      const auto [taken, left] = known->second;
      std::tuple<int, size_t, std::string> rank(-taken, left, node.name);
      if (taken == 0 || (best != nullptr && best_rank <= rank)) continue;
      best = &node;
      best_rank = std::move(rank);
    }
    if (best == nullptr) {
      return absl::ResourceExhaustedError(
          absl::StrCat(UsersOf(wanted.front(), wish), ": ", Describe(wanted.front()), " on one node (virtual node ",
                       wanted.front().number, ") are missing; ", Inventory(nodes), Hint(wanted.front(), nodes)));
    }
    std::vector<VirtualNode> rest;
    for (VirtualNode& one : wanted) {
      if (Fits(one, *best)) {
        Take(one, *best, &leases);
      } else {
        rest.push_back(std::move(one));
      }
    }
    wanted = std::move(rest);
  }
  return leases;
}

// Takes slots for a CPU group from `nodes`, in their order of preference.
absl::StatusOr<std::vector<PlacedWorker>> TakeSlots(const v1::Group& group, int run_length,
                                                    const std::vector<FreeNode*>& nodes) {
  std::vector<PlacedWorker> placed;
  int worker = 0;
  while (worker < group.workers_size()) {
    const int end = std::min(group.workers_size(), worker + run_length);
    int run_slots = 0;
    for (int i = worker; i < end; ++i) run_slots += group.workers(i).slots();
    const auto fits =
        std::find_if(nodes.begin(), nodes.end(), [&](FreeNode* node) { return node->slots >= run_slots; });
    for (; worker < end; ++worker) {
      const int slots = group.workers(worker).slots();
      const auto node = fits != nodes.end() ? fits : std::find_if(nodes.begin(), nodes.end(), [&](FreeNode* one) {
        return one->slots >= slots;
      });
      if (node == nodes.end()) {
        return absl::ResourceExhaustedError(absl::StrCat("group '", group.name(), "': ", slots, " CPU slots for rank ",
                                                         worker, " of ", group.workers_size(), " are missing; "));
      }
      (*node)->slots -= slots;
      placed.push_back({(*node)->id, {}});
    }
  }
  return placed;
}

std::vector<FreeNode*> Preferred(std::vector<FreeNode>& nodes, const std::set<uint64_t>& used,
                                 const std::string& machine) {
  std::vector<FreeNode*> order;
  order.reserve(nodes.size());
  for (FreeNode& node : nodes) order.push_back(&node);
  std::sort(order.begin(), order.end(), [&](const FreeNode* a, const FreeNode* b) {
    const auto rank = [&](const FreeNode* node) {
      return std::make_tuple(used.count(node->id) == 0, node->machine != machine, node->name);
    };
    return rank(a) < rank(b);
  });
  return order;
}

}  // namespace

absl::StatusOr<PlacedGroups> Place(const Wish& wish, const std::vector<FreeNode>& all) {
  std::vector<FreeNode> nodes = all;
  absl::StatusOr<Leases> leases = LeaseDevices(wish, nodes);
  if (!leases.ok()) return leases.status();
  std::set<uint64_t> used;
  for (const auto& entry : *leases) used.insert(entry.second.node);
  PlacedGroups groups;
  for (const v1::Group& group : wish.groups) {
    if (group.device_type() == kCpu) {
      auto placed = TakeSlots(group, wish.slots_per_node, Preferred(nodes, used, wish.machine));
      if (!placed.ok()) {
        return absl::ResourceExhaustedError(absl::StrCat(placed.status().message(), Inventory(all)));
      }
      for (const PlacedWorker& worker : *placed) used.insert(worker.node);
      groups.push_back(*std::move(placed));
      continue;
    }
    groups.emplace_back();
    for (const auto& worker : group.workers()) {
      PlacedWorker placed;
      for (const int index : worker.devices()) {
        placed.node = leases->at(index).node;
        placed.local_devices.push_back(leases->at(index).device);
      }
      groups.back().push_back(std::move(placed));
    }
  }
  return groups;
}

}  // namespace twinkle::driver

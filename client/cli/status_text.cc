#include "client/cli/status_text.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "client/cli/text_table.h"

namespace twinkle::cli {
namespace {

std::string DevicesText(const v1::ClusterStatus::Node& node) {
  std::map<std::string, std::string> devices;
  for (const auto& [type, count] : node.description().devices()) {
    const auto used = node.used_devices().find(type);
    devices[type] = absl::StrCat(type, " ", used == node.used_devices().end() ? 0 : used->second, "/", count);
  }
  if (devices.empty()) return "none";
  return absl::StrJoin(devices, ", ", [](std::string* text, const auto& entry) { *text += entry.second; });
}

std::string PlaceText(const v1::Place& place) { return absl::StrCat(place.host(), ", pid ", place.pid()); }

// "  model: 4 ranks on a (3), b (1)" for each group.
std::string GroupsText(const v1::ClusterStatus::Job& job) {
  std::map<std::string, std::map<std::string, int>> groups;
  for (const v1::Process& process : job.processes()) ++groups[process.group()][process.place().node()];
  std::string text;
  for (const auto& [group, nodes] : groups) {
    int ranks = 0;
    std::vector<std::string> on;
    for (const auto& [node, count] : nodes) {
      ranks += count;
      on.push_back(nodes.size() == 1 ? node : absl::StrCat(node, " (", count, ")"));
    }
    absl::StrAppend(&text, "      group ", group, ": ", ranks, ranks == 1 ? " rank" : " ranks", " on ",
                    absl::StrJoin(on, ", "), "\n");
  }
  for (const std::string& group : job.ended_groups()) absl::StrAppend(&text, "      group ", group, ": aborted\n");
  for (const v1::Component& component : job.components()) {
    absl::StrAppend(&text, "      component ", component.id(), ": ", component.class_name(), " on ", component.group(),
                    component.name().empty() ? "" : absl::StrCat(", named '", component.name(), "'"), "\n");
  }
  return text;
}

nlohmann::json PlaceJson(const v1::Place& place) {
  return {{"host", place.host()}, {"node", place.node()}, {"pid", place.pid()}};
}

nlohmann::json NodeJson(const v1::ClusterStatus::Node& node) {
  nlohmann::json devices = nlohmann::json::object();
  for (const auto& [type, count] : node.description().devices()) {
    const auto used = node.used_devices().find(type);
    devices[type] = {{"total", count}, {"used", used == node.used_devices().end() ? 0 : used->second}};
  }
  return {{"name", node.description().name()},
          {"host", node.description().place().host()},
          {"pid", node.description().place().pid()},
          {"address", node.description().endpoint().address()},
          {"cpu_slots", {{"total", node.description().cpu_slots()}, {"used", node.used_slots()}}},
          {"devices", devices},
          {"version", node.description().version()},
          {"joined_s", node.joined_s()}};
}

nlohmann::json JobJson(const v1::ClusterStatus::Job& job) {
  nlohmann::json told = {{"id", job.id()},
                         {"name", job.name()},
                         {"state", job.state()},
                         {"reason", job.reason()},
                         {"age_s", job.age_s()},
                         {"program", PlaceJson(job.program())},
                         {"processes", nlohmann::json::array()},
                         {"components", nlohmann::json::array()},
                         {"aborted_groups", nlohmann::json::array()}};
  for (const v1::Process& process : job.processes()) {
    nlohmann::json one = PlaceJson(process.place());
    one["id"] = process.id();
    one["group"] = process.group();
    one["rank"] = process.rank();
    one["devices"] = std::vector<int>(process.local_devices().begin(), process.local_devices().end());
    told["processes"].push_back(std::move(one));
  }
  for (const v1::Component& component : job.components()) {
    told["components"].push_back({{"id", component.id()},
                                  {"name", component.name()},
                                  {"class", component.class_name()},
                                  {"group", component.group()}});
  }
  for (const std::string& group : job.ended_groups()) told["aborted_groups"].push_back(group);
  return told;
}

}  // namespace

std::string AgeText(double seconds) {
  if (seconds < 120) return absl::StrFormat("%.0f s", seconds);
  if (seconds < 2 * 3600) return absl::StrFormat("%.0f min", seconds / 60);
  if (seconds < 48 * 3600) return absl::StrFormat("%.0f h", seconds / 3600);
  return absl::StrFormat("%.0f d", seconds / 86400);
}

std::string StatusText(const v1::ClusterStatus& status, const std::string& driver) {
  std::string text =
      absl::StrCat("driver ", driver, ", version ", status.version(), ", up ", AgeText(status.age_s()), "\n");
  if (status.nodes().empty()) {
    absl::StrAppend(&text, "\nno nodes (start twinkle-worker on one)\n");
  } else {
    std::vector<Row> rows = {{"NODE", "HOST", "CPU SLOTS", "DEVICES", "UP"}};
    for (const v1::ClusterStatus::Node& node : status.nodes()) {
      rows.push_back({node.description().name(), PlaceText(node.description().place()),
                      absl::StrCat(node.used_slots(), "/", node.description().cpu_slots()), DevicesText(node),
                      AgeText(node.joined_s())});
    }
    absl::StrAppend(&text, "\n", TableText(rows));
  }
  if (status.jobs().empty()) return text + "\nno jobs\n";
  text += "\n";
  for (const v1::ClusterStatus::Job& job : status.jobs()) {
    absl::StrAppend(&text, "  job ", job.id(), " '", job.name(), "': ", job.state(), " for ", AgeText(job.age_s()),
                    ", ", job.processes_size(), " processes, program on ", PlaceText(job.program()), "\n");
    if (!job.reason().empty()) absl::StrAppend(&text, "      ", job.reason(), "\n");
    text += GroupsText(job);
  }
  return text;
}

std::string StatusJson(const v1::ClusterStatus& status, const std::string& driver) {
  nlohmann::json told = {{"driver", driver},
                         {"version", status.version()},
                         {"age_s", status.age_s()},
                         {"nodes", nlohmann::json::array()},
                         {"jobs", nlohmann::json::array()}};
  for (const v1::ClusterStatus::Node& node : status.nodes()) told["nodes"].push_back(NodeJson(node));
  for (const v1::ClusterStatus::Job& job : status.jobs()) told["jobs"].push_back(JobJson(job));
  return told.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace twinkle::cli

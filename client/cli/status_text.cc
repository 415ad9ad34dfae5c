#include "client/cli/status_text.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "runtime/base/names.h"
#include "runtime/base/text_table.h"
#include "runtime/rpc/wire_place.h"

namespace twinkle::cli {
namespace {

constexpr size_t kEndedBesides = 5;  // ended jobs that are shown beside the others

std::string DevicesText(const v1::ClusterStatus::Node& node) {
  std::map<std::string, std::string> devices;
  for (const auto& [type, count] : node.description().devices()) {
    const auto used = node.used_devices().find(type);
    devices[type] = absl::StrCat(type, " ", used == node.used_devices().end() ? 0 : used->second, "/", count);
  }
  if (devices.empty()) return "none";
  return absl::StrJoin(devices, ", ", [](std::string* text, const auto& entry) { *text += entry.second; });
}

// Text that others have written, indented below a line of ours, so that nothing in it can look like one of our lines.
std::string Indented(absl::string_view text) { return base::PrintableLines(text, "        "); }

// A line for each group: "  model: 4 ranks on a (3), b (1)".
std::string GroupsText(const v1::ClusterStatus::Job& job) {
  std::map<std::string, std::map<std::string, int>> groups;
  for (const v1::Process& process : job.processes())
    ++groups[base::Printable(process.group())][base::Printable(process.place().node())];
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
  for (const auto& group : job.aborted_groups()) {
    absl::StrAppend(&text, "      group ", base::Printable(group.name()), ": aborted: ", Indented(group.reason()),
                    "\n");
  }
  for (const v1::Component& component : job.components()) {
    absl::StrAppend(&text, "      component ", component.id(), ": ", base::Printable(component.class_name()), " on ",
                    base::Printable(component.group()),
                    component.name().empty() ? "" : absl::StrCat(", named '", base::Printable(component.name()), "'"),
                    "\n");
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
  for (const auto& group : job.aborted_groups()) {
    told["aborted_groups"].push_back({{"name", group.name()}, {"reason", group.reason()}});
  }
  return told;
}

nlohmann::json EndedJson(const v1::ClusterStatus::Job& job) {
  nlohmann::json told = JobJson(job);
  told["code"] = absl::StatusCodeToString(static_cast<absl::StatusCode>(job.code()));
  told["ended_s"] = job.ended_s();
  return told;
}

std::string Dump(const nlohmann::json& told) {
  return told.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string RunningText(const v1::ClusterStatus& status) {
  if (status.jobs().empty()) return "no jobs\n";
  std::string text;
  for (const v1::ClusterStatus::Job& job : status.jobs()) {
    absl::StrAppend(&text, "  job ", job.id(), " '", base::Printable(job.name()), "': ", job.state(), " for ",
                    AgeText(job.age_s()), ", ", job.processes_size(), " processes, program on ",
                    rpc::PlaceText(job.program()), "\n");
    if (!job.reason().empty()) absl::StrAppend(&text, "      ", Indented(job.reason()), "\n");
    text += GroupsText(job);
  }
  return text;
}

std::vector<v1::ClusterStatus::Job> LastEnded(const v1::ClusterStatus& status, size_t most) {
  std::vector<v1::ClusterStatus::Job> jobs(status.ended_jobs().rbegin(), status.ended_jobs().rend());
  jobs.resize(std::min(jobs.size(), most));
  return jobs;
}

std::string EndedText(const v1::ClusterStatus& status, size_t most) {
  std::string text;
  for (const v1::ClusterStatus::Job& job : LastEnded(status, most)) {
    const auto code = static_cast<absl::StatusCode>(job.code());
    absl::StrAppend(&text, "  job ", job.id(), " '", base::Printable(job.name()), "': ended ", AgeText(job.ended_s()),
                    " ago, after ", AgeText(job.age_s()), ": ",
                    code == absl::StatusCode::kOk ? "as its program wished" : absl::StatusCodeToString(code), "\n");
    if (!job.reason().empty()) absl::StrAppend(&text, "      ", Indented(job.reason()), "\n");
    text += GroupsText(job);
  }
  return text;
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
  if (!status.journal_failure().empty()) {
    absl::StrAppend(&text, "\nno new jobs and nodes are taken: ", Indented(status.journal_failure()), "\n");
  }
  if (status.nodes().empty()) {
    absl::StrAppend(&text, "\nno nodes (start twinkle-worker on one)\n");
  } else {
    std::vector<base::TableRow> rows = {{"NODE", "HOST", "CPU SLOTS", "DEVICES", "UP"}};
    for (const v1::ClusterStatus::Node& node : status.nodes()) {
      rows.push_back({node.description().name(), rpc::PlaceText(node.description().place()),
                      absl::StrCat(node.used_slots(), "/", node.description().cpu_slots()), DevicesText(node),
                      AgeText(node.joined_s())});
    }
    absl::StrAppend(&text, "\n", base::PlainTable(rows));
  }
  absl::StrAppend(&text, "\n", RunningText(status));
  if (status.ended_jobs_size() > 0) absl::StrAppend(&text, "\n", EndedText(status, kEndedBesides));
  return text;
}

std::string EndedJobsText(const v1::ClusterStatus& status, size_t most) {
  if (status.ended_jobs().empty()) return "no job has ended since the driver began\n";
  return EndedText(status, most);
}

std::string StatusJson(const v1::ClusterStatus& status, const std::string& driver) {
  nlohmann::json told = {{"driver", driver},
                         {"version", status.version()},
                         {"age_s", status.age_s()},
                         {"nodes", nlohmann::json::array()},
                         {"jobs", nlohmann::json::array()},
                         {"ended_jobs", nlohmann::json::array()}};
  if (!status.journal_failure().empty()) told["journal_failure"] = status.journal_failure();
  for (const v1::ClusterStatus::Node& node : status.nodes()) told["nodes"].push_back(NodeJson(node));
  for (const v1::ClusterStatus::Job& job : status.jobs()) told["jobs"].push_back(JobJson(job));
  for (const v1::ClusterStatus::Job& job : status.ended_jobs()) told["ended_jobs"].push_back(EndedJson(job));
  return Dump(told);
}

std::string EndedJobsJson(const v1::ClusterStatus& status, const std::string& driver, size_t most) {
  nlohmann::json told = {{"driver", driver}, {"ended_jobs", nlohmann::json::array()}};
  for (const v1::ClusterStatus::Job& job : LastEnded(status, most)) told["ended_jobs"].push_back(EndedJson(job));
  return Dump(told);
}

}  // namespace twinkle::cli

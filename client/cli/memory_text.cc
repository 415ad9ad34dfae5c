#include "client/cli/memory_text.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "client/cli/status_text.h"
#include "runtime/base/bytes_text.h"
#include "runtime/base/ids.h"
#include "runtime/base/text_table.h"

namespace twinkle::cli {
namespace {

using base::BytesText;

std::string NameOf(const v1::Process& process) {
  return process.group().empty() ? "program" : absl::StrCat(process.group(), ":", process.rank());
}

std::map<uint64_t, std::string> NamesOf(const std::vector<ReportOfProcess>& reports) {
  std::map<uint64_t, std::string> names;
  for (const ReportOfProcess& one : reports) names[one.process.id()] = NameOf(one.process);
  return names;
}

// The name of a process that holds objects. A process that has not reported may be another job's, which found the
// component by its name.
std::string HolderName(uint64_t process, const std::map<uint64_t, std::string>& names) {
  if (const auto known = names.find(process); known != names.end()) return known->second;
  const uint32_t place = base::PlaceOf(process);
  return absl::StrCat("job ", base::JobOf(process), ", ", place == 0 ? "program" : absl::StrCat("process ", place));
}

std::string HoldersText(const v1::HeldObjects& held, const std::map<uint64_t, std::string>& names) {
  constexpr size_t kNamed = 4;
  std::vector<std::string> holders;
  for (const auto& [process, references] : held.holders()) holders.push_back(HolderName(process, names));
  std::sort(holders.begin(), holders.end());
  const size_t more = holders.size() > kNamed ? holders.size() - kNamed : 0;
  holders.resize(holders.size() - more);
  return absl::StrCat(absl::StrJoin(holders, ", "), more == 0 ? "" : absl::StrCat(" and ", more, " more"));
}

struct HeldHere {
  const v1::Process* owner;
  const v1::HeldObjects* held;
};

// The objects of all processes, the largest first.
std::vector<HeldHere> AllHeld(const std::vector<ReportOfProcess>& reports) {
  std::vector<HeldHere> all;
  for (const ReportOfProcess& one : reports) {
    for (const v1::HeldObjects& held : one.report.held()) all.push_back({&one.process, &held});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const HeldHere& a, const HeldHere& b) { return a.held->bytes() > b.held->bytes(); });
  return all;
}

// A label's value, with the characters escaped that would end it.
std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}});
}

}  // namespace

std::string MemoryText(uint64_t job, const std::vector<ReportOfProcess>& reports, size_t most_lines) {
  std::vector<base::TableRow> processes = {
      {"PROCESS", "NODE", "PID", "OBJECTS", "IN MEMORY", "OF", "ON DISK", "SHARED MEMORY"}};
  for (const ReportOfProcess& one : reports) {
    const v1::ProcessReport& report = one.report;
    processes.push_back({NameOf(one.process), one.process.place().node(), absl::StrCat(one.process.place().pid()),
                         absl::StrCat(report.objects()), BytesText(report.object_bytes_in_memory()),
                         report.object_cap_bytes() == 0 ? "any" : BytesText(report.object_cap_bytes()),
                         BytesText(report.object_bytes_on_disk()), BytesText(report.shared_bytes_touched())});
  }
  std::string text = absl::StrCat("job ", job, "\n\n", base::PlainTable(processes));
  const std::vector<HeldHere> all = AllHeld(reports);
  if (all.empty()) return text + "\nnothing is held\n";
  const std::map<uint64_t, std::string> names = NamesOf(reports);
  std::vector<base::TableRow> held = {{"BYTES", "ON DISK", "OBJECTS", "OLDEST", "OWNER", "HELD BY", "MADE BY"}};
  for (size_t i = 0; i < std::min(all.size(), most_lines); ++i) {
    const v1::HeldObjects& group = *all[i].held;
    held.push_back({BytesText(group.bytes()), BytesText(group.bytes_on_disk()), absl::StrCat(group.count()),
                    AgeText(group.age_s()), NameOf(*all[i].owner), HoldersText(group, names), group.maker()});
  }
  absl::StrAppend(&text, "\n", base::PlainTable(held));
  if (all.size() > most_lines) absl::StrAppend(&text, "  and ", all.size() - most_lines, " more (--lines)\n");
  return text;
}

std::string MemoryJson(uint64_t job, const std::vector<ReportOfProcess>& reports) {
  const std::map<uint64_t, std::string> names = NamesOf(reports);
  nlohmann::json told = {{"job", job}, {"processes", nlohmann::json::array()}};
  for (const ReportOfProcess& one : reports) {
    const v1::ProcessReport& report = one.report;
    nlohmann::json process = {{"process", NameOf(one.process)},
                              {"id", one.process.id()},
                              {"host", one.process.place().host()},
                              {"node", one.process.place().node()},
                              {"pid", one.process.place().pid()},
                              {"objects", report.objects()},
                              {"object_cap_bytes", report.object_cap_bytes()},
                              {"object_bytes_in_memory", report.object_bytes_in_memory()},
                              {"object_bytes_on_disk", report.object_bytes_on_disk()},
                              {"spill_folder", report.spill_folder()},
                              {"shared_bytes_used", report.shared_bytes_used()},
                              {"shared_bytes_touched", report.shared_bytes_touched()},
                              {"held", nlohmann::json::array()},
                              {"counters", nlohmann::json::object()}};
    for (const v1::HeldObjects& held : report.held()) {
      nlohmann::json holders = nlohmann::json::object();
      for (const auto& [holder, references] : held.holders()) holders[HolderName(holder, names)] = references;
      process["held"].push_back({{"made_by", held.maker()},
                                 {"objects", held.count()},
                                 {"bytes", held.bytes()},
                                 {"bytes_on_disk", held.bytes_on_disk()},
                                 {"oldest_s", held.age_s()},
                                 {"holders", holders}});
    }
    for (const auto& [name, value] : report.counters()) process["counters"][name] = value;
    told["processes"].push_back(std::move(process));
  }
  return told.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string MetricsText(uint64_t job, const std::vector<ReportOfProcess>& reports) {
  std::map<std::string, std::vector<std::string>> lines;  // by metric
  for (const ReportOfProcess& one : reports) {
    const v1::Process& process = one.process;
    const std::string who = absl::StrFormat("job=\"%d\",group=\"%s\",rank=\"%d\",node=\"%s\",pid=\"%d\"", job,
                                            Escaped(process.group().empty() ? "program" : process.group()),
                                            process.rank(), Escaped(process.place().node()), process.place().pid());
    const auto add = [&](const std::string& name, uint64_t value) {
      const size_t brace = name.find('{');
      const std::string metric = name.substr(0, brace);
      const std::string own = brace == std::string::npos ? "" : name.substr(brace + 1, name.size() - brace - 2) + ",";
      lines[metric].push_back(absl::StrCat(metric, "{", own, who, "} ", value, "\n"));
    };
    for (const auto& [name, value] : one.report.counters()) add(name, value);
    add("twinkle_objects", one.report.objects());
    add("twinkle_object_bytes{where=\"memory\"}", one.report.object_bytes_in_memory());
    add("twinkle_object_bytes{where=\"disk\"}", one.report.object_bytes_on_disk());
    add("twinkle_object_cap_bytes", one.report.object_cap_bytes());
    add("twinkle_shared_memory_bytes{state=\"used\"}", one.report.shared_bytes_used());
    add("twinkle_shared_memory_bytes{state=\"taken\"}", one.report.shared_bytes_touched());
  }
  std::string text;
  for (auto& [metric, of_it] : lines) {
    std::sort(of_it.begin(), of_it.end());
    absl::StrAppend(&text, "# TYPE ", metric, " ", absl::EndsWith(metric, "_total") ? "counter" : "gauge", "\n",
                    absl::StrJoin(of_it, ""));
  }
  return text;
}

}  // namespace twinkle::cli

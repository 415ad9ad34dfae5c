#include "client/src/process_report.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <vector>

#include "runtime/actor/failure.h"
#include "runtime/base/clock.h"

namespace twinkle::internal {
namespace {

constexpr size_t kMostGroups = 1000;  // of held objects

void AddCounters(const rpc::Traffic& traffic, google::protobuf::Map<std::string, uint64_t>& counters) {
  const auto add_way = [&](const char* way, const rpc::Traffic::Way& bytes) {
    counters[absl::StrCat("twinkle_sent_bytes_total{way=\"", way, "\"}")] = bytes.sent;
    counters[absl::StrCat("twinkle_received_bytes_total{way=\"", way, "\"}")] = bytes.received;
  };
  add_way("shared", traffic.shared);
  add_way("ring", traffic.rings);
  add_way("socket", traffic.sockets);
  add_way("network", traffic.network);
  counters["twinkle_copied_to_share_bytes_total"] = traffic.copied_to_share;
  counters["twinkle_compressed_bytes_total{side=\"before\"}"] = traffic.compressed_before;
  counters["twinkle_compressed_bytes_total{side=\"after\"}"] = traffic.compressed_after;
  counters["twinkle_pulled_bytes_total{from=\"machine\"}"] = traffic.pulled_from_machine;
  counters["twinkle_pulled_bytes_total{from=\"network\"}"] = traffic.pulled_from_network;
}

std::string MakerText(const object::Maker& maker) {
  if (!maker.class_name.empty()) {
    return actor::What({maker.class_name, maker.method, "", -1, "", maker.file, maker.line});
  }
  return absl::StrCat(maker.method, " [", maker.file, ":", maker.line, "]");
}

}  // namespace

v1::ProcessReport ReportOf(const actor::Process& process, const memory::SegmentPool& pool) {
  const object::ObjectTable& table = process.objects();
  v1::ProcessReport report;
  report.set_object_cap_bytes(process.options().spill.cap_bytes);
  report.set_objects(table.size());
  report.set_object_bytes_in_memory(table.bytes_in_memory());
  report.set_object_bytes_on_disk(table.bytes_on_disk());
  report.set_spill_folder(process.options().spill.folder);
  report.set_shared_bytes_used(pool.bytes_used());
  report.set_shared_bytes_touched(pool.bytes_touched());
  const base::Instant now = base::Now();
  const std::vector<object::HeldObjects> held = table.Held();
  for (size_t i = 0; i < std::min(held.size(), kMostGroups); ++i) {
    v1::HeldObjects& group = *report.add_held();
    group.set_maker(MakerText(held[i].maker));
    group.set_count(held[i].count);
    group.set_bytes(held[i].bytes);
    group.set_bytes_on_disk(held[i].bytes_on_disk);
    group.set_age_s(absl::ToDoubleSeconds(now - held[i].oldest));
    for (const auto& [holder, references] : held[i].holders) (*group.mutable_holders())[holder] = references;
  }
  AddCounters(process.traffic(), *report.mutable_counters());
  return report;
}

}  // namespace twinkle::internal

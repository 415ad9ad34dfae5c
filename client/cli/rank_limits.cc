#include "client/cli/rank_limits.h"

#include <absl/strings/str_cat.h>

#include <utility>

namespace twinkle::cli {
namespace {

using Level = Finding::Level;

// What one rank takes, rounded up from counts on running ranks.
constexpr uint64_t kTasksOfRank = 16;       // processes and threads: a warden, and the 15 threads of a rank at work
constexpr uint64_t kDescriptorsOfRank = 4;  // in the node daemon (its role, two pipes), or in another rank
constexpr uint64_t kMapsOfRank = 4;         // in another rank: two rings, a doorbell
// What a process takes without any other rank.
constexpr uint64_t kDescriptorsBefore = 64;
constexpr uint64_t kMapsBefore = 1000;

constexpr uint64_t kManyRanks = 1000;
constexpr uint64_t kFewRanks = 8;  // as many as a machine often has devices

struct RankLimit {
  std::string what;
  LimitFacts::Limit value;
  uint64_t in_use = 0;
  uint64_t of_rank = 1;
  std::string per_rank;  // what a rank takes of the limit, as text
  std::string way_out;
};

uint64_t Ranks(uint64_t limit, uint64_t in_use, uint64_t of_rank) {
  return limit <= in_use ? 0 : (limit - in_use) / of_rank;
}

Finding FindingOf(const RankLimit& limit) {
  if (!limit.value.has_value()) return {Level::kFine, limit.what, "no limit is known"};
  const uint64_t ranks = Ranks(*limit.value, limit.in_use, limit.of_rank);
  std::string text = absl::StrCat(*limit.value, ": about ", ranks, " ranks, with ", limit.of_rank, " ", limit.per_rank);
  if (ranks >= kManyRanks) return {Level::kFine, limit.what, std::move(text)};
  absl::StrAppend(&text, "; for more, ", limit.way_out);
  return {ranks >= kFewRanks ? Level::kNote : Level::kBad, limit.what, std::move(text)};
}

RankLimit OfTasks(std::string what, LimitFacts::Limit limit, uint64_t in_use, std::string way_out) {
  std::string per_rank = "processes and threads for each";
  if (in_use > 0) absl::StrAppend(&per_rank, " beside the ", in_use, " that there are");
  return {std::move(what), limit, in_use, kTasksOfRank, std::move(per_rank), std::move(way_out)};
}

RankLimit OfGroups(const LimitFacts& facts) {
  const LimitFacts::Group* least = nullptr;
  const auto left = [](const LimitFacts::Group& group) { return Ranks(*group.pids, group.pids_in_use, 1); };
  for (const LimitFacts::Group& group : facts.groups) {
    if (group.pids.has_value() && (least == nullptr || left(group) < left(*least))) least = &group;
  }
  if (least == nullptr) return OfTasks("pids.max", std::nullopt, 0, "");
  const std::string file = absl::StrCat(least->folder, "/pids.max");
  return OfTasks(file, least->pids, least->pids_in_use,
                 "raise it there (systemd: TasksMax=; containers: --pids-limit)");
}

}  // namespace

std::vector<Finding> LimitFindings(const LimitFacts& facts) {
  const std::string files = "descriptors for each, in the program and in ranks that call all others";
  return {
      FindingOf(OfTasks("kernel.pid_max", facts.pid_max, facts.tasks_in_use, "sysctl -w kernel.pid_max=4194304")),
      FindingOf(OfTasks("kernel.threads-max", facts.threads_max, facts.tasks_in_use, "sysctl -w kernel.threads-max=N")),
      FindingOf(OfTasks("ulimit -u", facts.processes, 0, "raise it (nproc in /etc/security/limits.conf)")),
      FindingOf(OfGroups(facts)),
      FindingOf({"ulimit -n", facts.open_files, kDescriptorsBefore, kDescriptorsOfRank, files,
                 "raise it where programs are started"}),
      FindingOf({"ulimit -Hn", facts.most_open_files, kDescriptorsBefore, kDescriptorsOfRank,
                 "descriptors for each, in the node daemon, which takes as many as it may",
                 "raise it (nofile in /etc/security/limits.conf; systemd: LimitNOFILE=)"}),
      FindingOf({"vm.max_map_count", facts.maps, kMapsBefore, kMapsOfRank,
                 "mappings for each, in the program and in ranks that call all others",
                 "sysctl -w vm.max_map_count=1048576"}),
  };
}

}  // namespace twinkle::cli

// What a large cluster costs the driver: its state machine under simulated nodes, in one thread.
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "driver/cluster_state.h"
#include "runtime/base/clock.h"
#include "tests/benchmark/measure.h"

namespace twinkle::driver {
namespace {

using benchmark::Report, benchmark::SecondsOf;

constexpr int kNodes = 1000;
constexpr int kDevices = 8;  // of a node
constexpr int kGroups = 64;
constexpr int kMostRanks = kNodes * kDevices / kGroups;  // of a group: then the job takes the whole cluster
const base::Instant kBegin = base::Instant();

v1::NodeDescription NodeOf(int index) {
  v1::NodeDescription node;
  const std::string name = absl::StrCat("node-", index);
  node.set_name(name);
  node.mutable_place()->set_machine(name);
  node.mutable_place()->set_host(name);
  node.mutable_endpoint()->set_address(absl::StrCat(name, ".example:1000"));
  node.set_cpu_slots(64);
  node.add_free_ports(29500);
  (*node.mutable_devices())["cuda"] = kDevices;
  return node;
}

// With so many ranks in each group, a device each.
v1::SubmitJob LargeJob(int ranks) {
  v1::SubmitJob submit;
  submit.mutable_program()->set_name("job");
  submit.mutable_program()->mutable_place()->set_machine("node-0");
  submit.set_devices_per_node(kDevices);
  submit.set_slots_per_node(kDevices);
  submit.set_placement_limit_ms(60'000);
  for (int group = 0; group < kGroups; ++group) {
    v1::Group& made = *submit.add_groups();
    made.set_name(absl::StrCat("group-", group));
    made.set_device_type("cuda");
    for (int rank = 0; rank < ranks; ++rank) made.add_workers()->add_devices(group * ranks + rank);
  }
  return submit;
}

// As they would go to the wire. How many bytes.
size_t Serialised(const Effects& effects) {
  size_t bytes = 0;
  for (const auto& effect : effects) {
    if (const auto* node = std::get_if<ToNode>(&effect)) bytes += node->message.SerializeAsString().size();
    if (const auto* program = std::get_if<ToProgram>(&effect)) bytes += program->message.SerializeAsString().size();
  }
  return bytes;
}

size_t HeapBytes() { return ::mallinfo2().uordblks; }

// All processes of the job listen; how many there were.
int StartAll(ClusterState& state, JobNumber job, const Effects& placed, Effects* effects) {
  v1::ProgramListens listens;
  listens.mutable_endpoint()->set_socket("unix:program");
  state.ProgramListens(job, listens, effects);
  const Effects starts = *effects;
  int processes = 0;
  for (const Effects* said : {&placed, &starts}) {
    for (const auto& effect : *said) {
      const auto* node = std::get_if<ToNode>(&effect);
      if (node == nullptr || !node->message.has_start()) continue;
      for (const v1::Process& process : node->message.start().processes()) {
        v1::ProcessListens message;
        message.set_job(job);
        message.set_process(process.id());
        message.set_pid(1);
        state.ProcessListens(node->node, message, effects);
        ++processes;
      }
    }
  }
  return processes;
}

int Run(int ranks_of_group) {
  ClusterState state({}, kBegin);
  Effects effects;
  std::vector<NodeId> nodes;
  const double joined = SecondsOf([&] {
    for (int i = 0; i < kNodes; ++i) nodes.push_back(state.NodeJoined(NodeOf(i), kBegin, &effects));
  });
  Report("driver_register_1000_nodes_ms", "ms", {joined * 1e3});
  const double beats = SecondsOf([&] {
    for (int second = 0; second < 100; ++second) {
      for (NodeId node : nodes) state.NodeAlive(node, kBegin + absl::Seconds(second));
      state.Tick(kBegin + absl::Seconds(second), &effects);
    }
  });
  Report("driver_heartbeats_of_1000_nodes_ms", "ms", {beats * 1e3 / 100});

  effects.clear();
  const v1::SubmitJob submit = LargeJob(ranks_of_group);
  const size_t before = HeapBytes();
  JobNumber job = 0;
  size_t bytes = 0;
  const double placed = SecondsOf([&] {
    job = state.Submit(submit, "secret", kBegin + absl::Seconds(100), &effects);
    bytes = Serialised(effects);
  });
  Effects said = std::exchange(effects, {});
  int processes = 0;
  const double started = SecondsOf([&] {
    processes = StartAll(state, job, said, &effects);
    bytes += Serialised(effects);
  });
  effects = {};
  said = {};
  const int ranks = kGroups * ranks_of_group;
  if (processes != ranks) {
    std::fprintf(stderr, "%d of %d ranks were placed\n", processes, ranks);
    return 1;
  }
  Report("driver_place_64_groups_s", "s", {placed}, absl::StrFormat(",\"ranks\":%d", ranks));
  Report("driver_start_64_groups_s", "s", {started}, absl::StrFormat(",\"bytes_sent\":%d", bytes));
  Report("driver_bytes_per_rank", "B", {static_cast<double>(HeapBytes() - before) / ranks});
  return 0;
}

}  // namespace
}  // namespace twinkle::driver

int main(int argc, char** argv) {
  int ranks_of_group = twinkle::driver::kDevices;
  CLI::App app("Measures the driver's decisions for 1000 nodes with 8 devices and a job of 64 groups.");
  app.add_option("--ranks", ranks_of_group, "of each group")
      ->check(CLI::Range(1, twinkle::driver::kMostRanks))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return twinkle::driver::Run(ranks_of_group);
}

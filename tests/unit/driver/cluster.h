// A cluster in a test: its nodes and programs do as they are told, when they are told to.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "driver/cluster_state.h"

namespace twinkle::driver {

inline constexpr base::Instant kBegin;

inline v1::NodeDescription NodeOf(const std::string& name, int slots, int devices) {
  v1::NodeDescription node;
  node.set_name(name);
  node.mutable_place()->set_machine(name);
  node.mutable_place()->set_host("host-" + name);
  node.mutable_endpoint()->set_address(name + ".example:1000");
  node.set_cpu_slots(slots);
  for (const int port : {29500, 29501, 29502}) node.add_free_ports(port);
  if (devices > 0) (*node.mutable_devices())["cuda"] = devices;
  return node;
}

inline v1::SubmitJob JobOf(int cpu_workers, int devices = 0, const std::string& machine = "a") {
  v1::SubmitJob submit;
  submit.mutable_program()->set_name("job");
  submit.mutable_program()->mutable_place()->set_machine(machine);
  submit.set_devices_per_node(8);
  submit.set_slots_per_node(8);
  submit.set_placement_limit_ms(60'000);
  if (cpu_workers > 0) {
    v1::Group& group = *submit.add_groups();
    group.set_name("pool");
    group.set_device_type("cpu");
    for (int i = 0; i < cpu_workers; ++i) group.add_workers()->set_slots(1);
  }
  if (devices > 0) {
    v1::Group& group = *submit.add_groups();
    group.set_name("policy");
    group.set_device_type("cuda");
    for (int i = 0; i < devices; ++i) group.add_workers()->add_devices(i);
  }
  return submit;
}

// A cluster whose nodes and programs do as they are told, when they are told to.
struct Cluster {
  explicit Cluster(const ClusterOptions& options = {}, const Restored& restored = {})
      : state(options, kBegin, restored) {}

  ClusterState state;
  base::Instant now = kBegin;
  Effects effects;

  Effects Take() { return std::exchange(effects, {}); }
  NodeId Join(const std::string& name, int slots, int devices = 0) {
    return state.NodeJoined(NodeOf(name, slots, devices), now, &effects);
  }
  JobNumber Submit(const v1::SubmitJob& submit) {
    return state.Submit(submit, "secret-" + std::to_string(++secrets), now, &effects);
  }
  // All processes of a placed job listen.
  void Start(JobNumber job) {
    v1::ProgramListens listens;
    listens.mutable_endpoint()->set_socket("unix:program");
    state.ProgramListens(job, listens, &effects);
    for (const ToNode& effect : ToNodes()) {
      if (!effect.message.has_start() || effect.message.start().job() != job) continue;
      for (const v1::Process& process : effect.message.start().processes()) {
        v1::ProcessListens message;
        message.set_job(job);
        message.set_process(process.id());
        message.set_pid(static_cast<int>(100 + process.rank()));
        state.ProcessListens(effect.node, message, &effects);
      }
    }
  }
  void Exit(NodeId node, JobNumber job, uint64_t process, const std::string& cause) {
    v1::ProcessExited exited;
    exited.set_job(job);
    exited.set_process(process);
    exited.set_cause(cause);
    exited.add_last_lines("the last line");
    state.ProcessExited(node, exited, now, &effects);
  }
  void ExitWithAll(NodeId node, JobNumber job, uint64_t process, const std::string& cause) {
    Exit(node, job, process, cause);
    state.ProcessCleared(node, job, process, now, &effects);
  }
  // The driver is awake meanwhile.
  void Pass(absl::Duration time) {
    for (const base::Instant end = now + time; now < end;) {
      now = std::min(end, now + absl::Milliseconds(500));
      state.Tick(now, &effects);
    }
  }
  // The driver is stopped meanwhile.
  void Pause(absl::Duration time) {
    now += time;
    state.Tick(now, &effects);
  }
  // The same, and these nodes speak every four seconds.
  void PassWith(const std::vector<NodeId>& speaking, absl::Duration time) {
    for (const base::Instant end = now + time; now < end;) {
      for (NodeId node : speaking) state.NodeAlive(node, now);
      Pass(std::min(end - now, absl::Seconds(4)));
    }
  }
  std::vector<ToNode> ToNodes() const {
    std::vector<ToNode> all;
    for (const auto& effect : effects) {
      if (const auto* to_node = std::get_if<ToNode>(&effect)) all.push_back(*to_node);
    }
    return all;
  }
  std::vector<v1::DriverToProgram> ToJob(JobNumber job) const {
    std::vector<v1::DriverToProgram> all;
    for (const auto& effect : effects) {
      const auto* to_program = std::get_if<ToProgram>(&effect);
      if (to_program != nullptr && to_program->job == job) all.push_back(to_program->message);
    }
    return all;
  }
  bool Told(JobNumber job, bool (v1::DriverToProgram::*has)() const) const {
    const auto messages = ToJob(job);
    return std::any_of(messages.begin(), messages.end(), [&](const auto& message) { return (message.*has)(); });
  }
  int UsedSlots() const {
    int used = 0;
    const v1::ClusterStatus status = state.Status(now);
    for (const auto& node : status.nodes()) used += node.used_slots();
    return used;
  }
  int UsedDevices() const {
    int used = 0;
    const v1::ClusterStatus status = state.Status(now);
    for (const auto& node : status.nodes()) {
      for (const auto& [type, count] : node.used_devices()) used += count;
    }
    return used;
  }
  int secrets = 0;
};

}  // namespace twinkle::driver

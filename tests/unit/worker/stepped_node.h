// A node's state machine in a test, and what it wants.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "worker/node_state.h"

namespace twinkle::worker {

inline constexpr int kKilled = SIGKILL;

inline v1::StartJob JobOf(uint64_t number, const std::vector<uint64_t>& processes) {
  v1::StartJob start;
  start.set_job(number);
  start.mutable_program()->set_name("train");
  start.mutable_program()->mutable_place()->set_pids("pids");
  start.mutable_program()->mutable_place()->set_pid(77);
  for (size_t rank = 0; rank < processes.size(); ++rank) {
    v1::Process& process = *start.add_processes();
    process.set_id(processes[rank]);
    process.set_group("policy");
    process.set_rank(static_cast<int>(rank));
  }
  return start;
}

inline v1::DriverToNode StartMessage(const v1::StartJob& start) {
  v1::DriverToNode message;
  *message.mutable_start() = start;
  return message;
}

inline v1::DriverToNode StopMessage(uint64_t job, absl::Duration grace) {
  v1::DriverToNode message;
  message.mutable_stop()->set_job(job);
  message.mutable_stop()->set_grace_ms(absl::ToInt64Milliseconds(grace));
  return message;
}

inline v1::FromWorker Listening(const std::string& socket) {
  v1::FromWorker message;
  message.mutable_listening()->set_socket(socket);
  return message;
}

// A state machine, and what it wanted since this was last looked at.
struct Node {
  explicit Node(const std::string& only_machine = {}, absl::Duration stopped_limit = absl::Hours(1))
      : state({.node = "n",
               .pids = "pids",
               .driver = "driver:1",
               .only_machine = only_machine,
               .stopped_limit = stopped_limit}) {}

  template <class T>
  std::vector<T> Take() {
    std::vector<T> taken;
    Effects others;
    for (Effect& effect : effects) {
      if (auto* one = std::get_if<T>(&effect)) {
        taken.push_back(std::move(*one));
      } else {
        others.push_back(std::move(effect));
      }
    }
    effects.swap(others);
    return taken;
  }
  // Told to the driver, in short.
  std::vector<std::string> Told() {
    std::vector<std::string> told;
    for (const ToDriver& one : Take<ToDriver>()) {
      const v1::NodeToDriver& message = one.message;
      if (message.has_listens()) told.push_back("listens " + std::to_string(message.listens().process()));
      if (message.has_exited()) told.push_back("exited " + std::to_string(message.exited().process()));
      if (message.has_process_cleared()) {
        told.push_back("cleared process " + std::to_string(message.process_cleared().process()));
      }
      if (message.has_cleared()) told.push_back("cleared " + std::to_string(message.cleared().job()));
      if (message.has_program_gone()) told.push_back("program gone " + std::to_string(message.program_gone().job()));
      if (message.has_end_group()) told.push_back("end group " + message.end_group().group());
    }
    return told;
  }
  std::string CauseOf(uint64_t process) {
    for (const Effect& effect : effects) {
      const auto* told = std::get_if<ToDriver>(&effect);
      if (told != nullptr && told->message.exited().process() == process) return told->message.exited().cause();
    }
    return "(not told)";
  }
  void Start(uint64_t job, const std::vector<uint64_t>& processes) {
    state.OnMessage(StartMessage(JobOf(job, processes)), &effects);
  }
  // Brings a job's processes up.
  void StartAll(uint64_t job, const std::vector<uint64_t>& processes) {
    Start(job, processes);
    state.OnProgramReady(job, absl::OkStatus(), &effects);
    for (uint64_t process : processes) {
      state.OnStarted(process, static_cast<int>(1000 + process), &effects);
      state.OnSaid(process, Listening("socket"), &effects);
    }
    effects.clear();
  }
  void End(uint64_t process, int status = kKilled) { state.OnEnded(process, {status, false, {}}, &effects); }
  // A look at one that runs.
  void Look(uint64_t process, const Glance& glance) { state.OnGlance(process, glance, awake, &effects); }
  void EndWithAll(uint64_t process) {
    End(process);
    state.OnCleared(process, &effects);
  }

  NodeState state;
  Effects effects;
  base::Instant awake;
};

using Texts = std::vector<std::string>;

}  // namespace twinkle::worker

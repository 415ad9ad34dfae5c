#include "worker/looks.h"

#include <optional>
#include <string>

namespace twinkle::worker {
namespace {

constexpr absl::Duration kPauseForEach = absl::Milliseconds(1);  // a look takes some 10 us for each process

}  // namespace

Looks::Looks(absl::Duration interval, AwakeTimers* timers, SideThreads* threads, Events events, Ask ask)
    : interval_(interval), timers_(*timers), threads_(*threads), events_(std::move(events)), ask_(std::move(ask)) {}

Looks::Glances Looks::AskKernel(const Pids& pids) {
  Glances glances;
  if (!TellsOfOwnPids()) return glances;
  glances.reserve(pids.size());
  for (const auto& [key, pid] : pids) {
    if (const std::optional<Glance> glance = GlanceAt(pid)) glances.emplace_back(key, *glance);
  }
  return glances;
}

void Looks::Begin() {
  if (!std::exchange(looking_, true)) LookIn(interval_);
}

void Looks::LookIn(absl::Duration pause) {
  timers_.After(pause, [this] { Look(); });
}

void Looks::Look() {
  Pids pids = events_.running();
  if (pids.empty()) {
    looking_ = false;
    return;
  }
  const absl::Duration pause = interval_ + static_cast<int64_t>(pids.size()) * kPauseForEach;
  const auto glances = std::make_shared<Glances>();
  const absl::Status begun = threads_.Run(
      "looks", [ask = ask_, pids = std::move(pids), glances] { *glances = ask(pids); },
      [this, glances, pause] {
        events_.on_glances(*glances, timers_.Awake());
        LookIn(pause);
      });
  if (!begun.ok()) LookIn(pause);  // a thread may be available by then
}

}  // namespace twinkle::worker

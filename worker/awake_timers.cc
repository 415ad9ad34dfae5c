#include "worker/awake_timers.h"

#include <algorithm>
#include <utility>

namespace twinkle::worker {
namespace {

constexpr absl::Duration kPulse = absl::Seconds(1);

}  // namespace

AwakeTimers::AwakeTimers(PostAfter post_after, std::function<base::Instant()> now)
    : post_after_(std::move(post_after)), now_(std::move(now)), clock_(kPulse, now_()) {}

void AwakeTimers::After(absl::Duration wait, base::Task task) {
  tasks_.emplace(clock_.Observe(now_()) + wait, std::move(task));
  Arm();
}

void AwakeTimers::Arm() {
  if (tasks_.empty()) return;
  const base::Instant next = std::min(clock_.WhenAwakeFor(tasks_.begin()->first), clock_.NextPulse());
  if (next >= alarm_) return;
  alarm_ = next;
  post_after_(std::max(absl::ZeroDuration(), next - now_()), [this, next] {
    if (alarm_ == next) OnAlarm();  // else an earlier alarm was posted meanwhile, and has set the next one
  });
}

void AwakeTimers::OnAlarm() {
  alarm_ = base::kForever;
  const base::Instant awake = clock_.Observe(now_());
  while (!tasks_.empty() && tasks_.begin()->first <= awake) {
    const auto due = tasks_.extract(tasks_.begin());
    due.mapped()();
  }
  Arm();
}

}  // namespace twinkle::worker

#include "runtime/object/failure_log.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace twinkle::object {

namespace {

// In whose words calls end with a process (runtime/actor/caller.cc): not what a method has returned meanwhile.
constexpr absl::string_view kWords = "process is gone: ";

thread_local bool in_notifier = false;

void Notify(const FailureLog::Notifier& notifier, const std::string& message) {
  const bool outer = std::exchange(in_notifier, true);
  try {
    notifier(message);
  } catch (...) {
    base::Log(base::LogLevel::kError, "the notifier threw; the failure it was told: " + message);
  }
  in_notifier = outer;
}

}  // namespace

bool InNotifier() { return in_notifier; }

void Failure::Look() {
  if (looked_at_.exchange(true)) return;
  if (on_look_) on_look_();
  for (const auto& cause : causes_) cause->Look();
}

bool Failure::known() const {
  const bool of_losses = !causes_.empty() && absl::StrContains(status_.message(), kWords) &&
                         std::all_of(causes_.begin(), causes_.end(), [](const auto& cause) {
                           return cause->kind_ == Kind::kLoss && cause->looked_at();
                         });
  return looked_at_ || of_losses;
}

std::shared_ptr<Failure> FailureLog::Add(absl::Status status, std::vector<std::shared_ptr<Failure>> causes) {
  return Enter(std::make_shared<Failure>(std::move(status), std::move(causes)));
}

std::shared_ptr<Failure> FailureLog::Enter(std::shared_ptr<Failure> failure) {
  if (notifier_) {
    queue_->Post([notifier = notifier_, message = base::Brief(failure->status())] { Notify(notifier, message); });
  }
  base::MutexLock lock(&mutex_);
  if (failures_.size() >= kMost) {
    failures_.erase(std::remove_if(failures_.begin(), failures_.end(), [](const auto& f) { return f->known(); }),
                    failures_.end());
  }
  if (failures_.size() < kMost) failures_.push_back(failure);
  return failure;
}

void FailureLog::AddLoss(std::span<const base::ProcessId> processes, const absl::Status& why) {
  const std::vector<std::shared_ptr<Failure>> none;
  KeepLoss(processes, Enter(std::make_shared<Failure>(why, none, Failure::Kind::kLoss)));
}

void FailureLog::NoteLoss(std::span<const base::ProcessId> processes, const absl::Status& why,
                          std::function<void()> on_look) {
  const std::vector<std::shared_ptr<Failure>> none;
  KeepLoss(processes, std::make_shared<Failure>(why, none, Failure::Kind::kLoss, std::move(on_look)));
}

void FailureLog::KeepLoss(std::span<const base::ProcessId> processes, const std::shared_ptr<Failure>& failure) {
  bool looked_at = false;
  {
    base::MutexLock lock(&mutex_);
    for (base::ProcessId process : processes) {
      losses_.emplace(process, failure);
      if (looked_at_early_.erase(process) > 0) looked_at = true;
    }
  }
  if (looked_at) failure->Look();
}

void FailureLog::LookAtLoss(base::ProcessId process) {
  std::shared_ptr<Failure> loss;
  {
    base::MutexLock lock(&mutex_);
    const auto found = losses_.find(process);
    if (found != losses_.end()) {
      loss = found->second;
    } else if (looked_at_early_.size() < kMost) {
      looked_at_early_.insert(process);
    }
  }
  if (loss != nullptr) loss->Look();
}

std::vector<base::ProcessId> FailureLog::LossesLookedAt() const {
  absl::flat_hash_map<const Failure*, base::ProcessId> looked_at;
  {
    base::MutexLock lock(&mutex_);
    for (const auto& [process, loss] : losses_) {
      if (loss->looked_at()) looked_at.emplace(loss.get(), process);
    }
  }
  std::vector<base::ProcessId> processes;
  for (const auto& [loss, process] : looked_at) processes.push_back(process);
  return processes;
}

std::shared_ptr<Failure> FailureLog::LossOf(base::ProcessId process) const {
  base::MutexLock lock(&mutex_);
  const auto found = losses_.find(process);
  return found == losses_.end() ? nullptr : found->second;
}

absl::Status FailureLog::Close() {
  std::vector<std::shared_ptr<Failure>> failures;
  {
    base::MutexLock lock(&mutex_);
    failures.swap(failures_);
  }
  absl::Status first;
  for (const auto& failure : failures) {
    if (failure->known()) continue;
    base::Log(base::LogLevel::kError,
              absl::StrCat("a failure that nobody looked at: ", base::Brief(failure->status())));
    if (first.ok()) first = failure->status();
  }
  return first;
}

}  // namespace twinkle::object

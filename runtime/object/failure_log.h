// The failures of a process's calls: told to the notifier when they happen, and kept until somebody looked at them.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/executor.h"
#include "runtime/base/ids.h"
#include "runtime/base/mutex.h"

namespace twinkle::object {

// One failure. Owned by the log and by the lazies that hold it.
class Failure {
 public:
  enum class Kind { kOfACall, kLoss, kWished };  // kLoss: of processes; kWished: the caller has asked for it

  // `on_look` (may be empty) runs in the thread that looks at it first.
  Failure(absl::Status status, std::vector<std::shared_ptr<Failure>> causes, Kind kind = Kind::kOfACall,
          std::function<void()> on_look = nullptr)
      : kind_(kind), status_(std::move(status)), causes_(std::move(causes)), on_look_(std::move(on_look)) {}

  const absl::Status& status() const { return status_; }

  // Somebody was given the status: then those that caused it count as looked at, too.
  void Look();
  bool looked_at() const { return looked_at_; }
  // Whoever has heard of it, or of the losses that it failed of and nothing else, has nothing more to hear.
  bool known() const;
  bool is_wished() const { return kind_ == Kind::kWished; }

 private:
  const Kind kind_;
  const absl::Status status_;
  const std::vector<std::shared_ptr<Failure>> causes_;
  const std::function<void()> on_look_;
  std::atomic<bool> looked_at_ = false;
};

// Thread-safe.
class FailureLog {
 public:
  using Notifier = std::function<void(const std::string& message)>;

  // `notifier` (may be empty) is called on `queue`, one message at a time; what it throws is dropped.
  FailureLog(Notifier notifier, base::TaskQueue* queue) : notifier_(std::move(notifier)), queue_(queue) {}

  std::shared_ptr<Failure> Add(absl::Status status, std::vector<std::shared_ptr<Failure>> causes = {});

  // Processes are gone by no wish of the program's: entered as a failure of its own. Calls that fail because of them
  // name it as their cause (LossOf), so whoever looks at one of these has looked at the loss, and knows of the others.
  void AddLoss(std::span<const base::ProcessId> processes, const absl::Status& why);
  // The same where it is another process's to tell of it: it is no failure here, but what fails of it names it.
  void NoteLoss(std::span<const base::ProcessId> processes, const absl::Status& why, std::function<void()> on_look);
  // Another process has looked at the loss that this one was part of; it may come to be known here only later.
  void LookAtLoss(base::ProcessId process);
  // One process of each loss that was looked at.
  std::vector<base::ProcessId> LossesLookedAt() const;
  // The first loss that the process was part of, or null.
  std::shared_ptr<Failure> LossOf(base::ProcessId process) const;

  // The first failure that nobody knows of, or OK. Logs each such failure once, and forgets them.
  absl::Status Close();

 private:
  static constexpr size_t kMost = 1000;  // kept; later ones are told to the notifier only

  std::shared_ptr<Failure> Enter(std::shared_ptr<Failure> failure);
  void KeepLoss(std::span<const base::ProcessId> processes, const std::shared_ptr<Failure>& failure);

  const Notifier notifier_;
  base::TaskQueue* const queue_;
  mutable base::Mutex mutex_;
  std::vector<std::shared_ptr<Failure>> failures_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<base::ProcessId, std::shared_ptr<Failure>> losses_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<base::ProcessId> looked_at_early_ ABSL_GUARDED_BY(mutex_);  // whose loss is not known yet
};

// Whether the calling thread is in a notifier.
bool InNotifier();

}  // namespace twinkle::object

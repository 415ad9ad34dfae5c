#include "worker/processes.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>
#include <utility>

#include "runtime/base/clock.h"
#include "worker/rank_cgroups.h"

namespace twinkle::worker {
namespace {

ProcessesOptions WithWindow(ProcessesOptions options) {
  const int processors = static_cast<int>(std::thread::hardware_concurrency());  // 0: not known
  if (options.window <= 0) options.window = std::max(16, 4 * processors);
  return options;
}

v1::ToSpawner SpawnMessage(uint64_t key, const Launch& launch) {
  v1::ToSpawner message;
  v1::Spawn& spawn = *message.mutable_spawn();
  spawn.set_key(key);
  for (const std::string& argument : launch.arguments) spawn.add_arguments(argument);
  for (const std::string& variable : launch.environment) spawn.add_environment(variable);
  spawn.set_directory(launch.directory);
  spawn.set_ignored_signals(launch.ignored_signals);
  spawn.set_blocked_signals(launch.blocked_signals);
  return message;
}

}  // namespace

Processes::Processes(ProcessesOptions options, Spawner spawner, base::FdLoop* loop, AwakeTimers* timers,
                     Listener* listener)
    : options_(WithWindow(options)),
      spawner_(std::move(spawner)),
      reader_(spawner_.socket.get()),
      writer_(spawner_.socket.get()),
      loop_(*loop),
      timers_(*timers),
      listener_(*listener) {
  ::fcntl(spawner_.socket.get(), F_SETFL, ::fcntl(spawner_.socket.get(), F_GETFL) | O_NONBLOCK);
  loop_.Watch(spawner_.socket.get(), [this] { OnReadable(); });
}

Processes::~Processes() {
  *alive_ = false;
  Close();
}

void Processes::Close() {
  if (!spawner_.socket.valid()) return;
  loop_.Forget(spawner_.socket.get());
  spawner_.socket.Reset();
}

std::function<void()> Processes::Guarded(std::function<void()> task) {
  return [this, alive = alive_, task = std::move(task)] {
    if (*alive && !gone_) task();
  };
}

// ---- states
void Processes::Enter(Entries::iterator entry, State state) {
  entry->second.state = state;
  if (state == State::kAsked) {
    entry->second.make = nullptr;
    entry->second.under_way = true;
    ++under_way_;
  }
  if (state == State::kForked) {
    timers_.After(options_.settle_limit, Guarded([this, key = entry->first] { Settle(key); }));
  }
  if (state == State::kExecuted) entry->second.directory.clear();
  if (state == State::kEnded) {
    entry->second.pid = 0;  // the number may soon be another process's
    Settle(entry->first);
  }
}

void Processes::Settle(uint64_t key) {
  const auto found = entries_.find(key);
  if (found == entries_.end() || !std::exchange(found->second.under_way, false)) return;
  --under_way_;
  FillSoon();
}

void Processes::Erase(Entries::iterator entry) {
  Settle(entry->first);
  entries_.erase(entry);
}

void Processes::Refuse(uint64_t key, const std::string& why) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  Erase(found);
  listener_.OnNotStarted(key, why);
}

void Processes::Start(uint64_t key, Make make) {
  if (gone_ || !entries_.emplace(key, Entry{State::kQueued, false, 0, std::move(make), {}}).second) return;
  queue_.push_back(key);
  FillSoon();
}

void Processes::FillSoon() {
  if (queue_.empty() || std::exchange(filling_, true)) return;
  loop_.Post(Guarded([this] {
    filling_ = false;
    Fill();
  }));
}

void Processes::Fill() {
  while (under_way_ < options_.window && !queue_.empty() && !gone_) {
    const uint64_t key = queue_.front();
    queue_.pop_front();
    if (entries_.count(key) != 0) Ask(key);
  }
}

void Processes::Ask(uint64_t key) {
  const auto entry = entries_.find(key);
  absl::StatusOr<Launch> launch = entry->second.make();
  if (!launch.ok()) return Refuse(key, std::string(launch.status().message()));
  Enter(entry, State::kAsked);
  entry->second.directory = launch->directory;
  timers_.After(options_.exec_limit, Guarded([this, key] { OnLate(key); }));
  std::vector<base::Fd> fds;
  for (base::Fd* fd : {&launch->executable, &launch->role, &launch->output, &launch->error}) {
    fds.push_back(std::move(*fd));
  }
  const absl::StatusOr<bool> done = writer_.Write(SpawnMessage(key, *launch), std::move(fds));
  if (absl::IsInvalidArgument(done.status())) {
    return Refuse(key, "its arguments and its environment are too large to be sent to the spawner");
  }
  Written(done);
}

void Processes::Signal(uint64_t key, int number) {
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.state == State::kEnded || gone_) return;
  if (found->second.state == State::kQueued) {
    if (number != SIGKILL) return;
    return loop_.Post(Guarded([this, key] { Refuse(key, "it was ended before its turn to start had come"); }));
  }
  v1::ToSpawner message;
  message.mutable_signal()->set_key(key);
  message.mutable_signal()->set_number(number);
  Write(message);
}

void Processes::KeepScratch(const std::string& folder) {
  scratch_.insert(folder);
  v1::ToSpawner message;
  message.mutable_scratch()->set_folder(folder);
  Write(message);
}

void Processes::ForgetScratch(const std::string& folder) {
  scratch_.erase(folder);
  v1::ToSpawner message;
  message.mutable_scratch()->set_folder(folder);
  message.mutable_scratch()->set_gone(true);
  Write(message);
}

// ---- the channel
void Processes::Write(const v1::ToSpawner& message) {
  if (!gone_) Written(writer_.Write(message));
}

void Processes::Written(const absl::StatusOr<bool>& done) {
  if (!done.ok()) return loop_.Post(Guarded([this] { OnGone(); }));
  if (*done) return;
  if (writer_.shortage().empty()) {
    loop_.WaitWritable(spawner_.socket.get(), [this] { Written(writer_.Flush()); });
  } else {
    loop_.PostAfter(rpc::kShortageWait, Guarded([this] { Written(writer_.Flush()); }));
  }
}

void Processes::OnReadable() {
  while (!gone_) {
    v1::FromSpawner message;
    const absl::StatusOr<bool> read = reader_.Next(&message);
    if (!read.ok()) return OnGone();
    if (!*read) return;
    OnMessage(message);
  }
}

void Processes::OnMessage(const v1::FromSpawner& message) {
  uint64_t key = 0;
  if (message.has_forked()) key = message.forked().key();
  if (message.has_executed()) key = message.executed().key();
  if (message.has_not_started()) key = message.not_started().key();
  if (message.has_ended()) key = message.ended().key();
  if (message.has_cleared()) key = message.cleared().key();
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;  // the start was given up
  Entry& entry = found->second;
  if (message.has_forked() && entry.state == State::kAsked) {
    Enter(found, State::kForked);
    entry.pid = message.forked().pid();
  } else if (message.has_executed() && entry.state == State::kForked) {
    Enter(found, State::kExecuted);
    listener_.OnStarted(key, entry.pid);
  } else if (message.has_not_started() && entry.state < State::kExecuted) {
    Refuse(key, message.not_started().why());
  } else if (message.has_ended() && entry.state == State::kExecuted) {
    Enter(found, State::kEnded);
    listener_.OnEnded(key, message.ended().status());
  } else if (message.has_cleared() && entry.state == State::kEnded) {
    Erase(found);
    listener_.OnCleared(key);
  }
}

// The process may still become the program much later; it is killed then, and nobody waits for it any more.
void Processes::OnLate(uint64_t key) {
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.state >= State::kExecuted) return;
  const std::string limit = absl::FormatDuration(options_.exec_limit);
  const std::string why =
      found->second.state == State::kAsked
          ? absl::StrCat("the node's spawner has not answered within ", limit, ": it is stopped, or hangs")
          : absl::StrCat("it did not become the program within ", limit, ": the storage of its executable, or of its ",
                         "working directory '", found->second.directory, "', does not answer");
  Signal(key, SIGKILL);
  Refuse(key, why);
}

void Processes::OnGone() {
  if (std::exchange(gone_, true)) return;
  loop_.Forget(spawner_.socket.get());
  listener_.OnSpawnerGone();
}

// ---- the end
void Processes::KillAll() const {
  for (const auto& [key, entry] : entries_) {
    if (entry.pid != 0) ::kill(-entry.pid, SIGKILL);
  }
}

bool Processes::EndSpawner() {
  gone_ = true;
  Close();
  if (spawner_.pid <= 0) return true;
  const base::Instant deadline = base::Now() + options_.end_limit;
  int status = 0;
  pid_t changed = 0;
  while ((changed = ::waitpid(spawner_.pid, &status, WNOHANG | WUNTRACED)) == 0 ||
         (changed > 0 && WIFSTOPPED(status))) {
    if (changed > 0 || base::Now() >= deadline) {
      ::kill(spawner_.pid, SIGKILL);
      return false;
    }
    ::usleep(1000);
  }
  return true;
}

std::function<void()> Processes::Leftovers() const {
  return [folders = scratch_, cgroups = spawner_.cgroups] {
    EndForsakenCgroups(cgroups);
    RemoveScratch(folders);
  };
}

}  // namespace twinkle::worker

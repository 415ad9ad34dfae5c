#include "worker/spawner_loop.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "worker/cause_of_death.h"
#include "worker/new_process.h"
#include "worker/own_children.h"

namespace twinkle::worker {
namespace {

constexpr size_t kDescriptors = 4;  // executable, role, output, error
constexpr int kEndRounds = 5000;

// Signals a process group; the process itself, if it has left its group.
void SignalRank(pid_t pid, int number) {
  if (::kill(-pid, number) != 0) ::kill(pid, number);
}

}  // namespace

SpawnerLoop::SpawnerLoop(int socket, const SpawnerOptions& options)
    : socket_(socket),
      open_files_(options.open_files),
      cgroups_(options.cgroup),
      reader_(socket, {.descriptors = true}),
      writer_(socket) {}

void SpawnerLoop::Run() {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  const base::Fd signals(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  loop_.Watch(signals.get(), [this, fd = signals.get()] {
    signalfd_siginfo info{};
    while (::read(fd, &info, sizeof(info)) > 0) {
    }
    Reap();
  });
  loop_.Watch(socket_, [this] { OnDaemon(); });
  loop_.Run();
  EndAll();
}

// ---- the daemon
void SpawnerLoop::OnDaemon() {
  while (true) {
    v1::ToSpawner message;
    const absl::StatusOr<bool> read = reader_.Next(&message);
    if (!read.ok()) return loop_.Stop();
    if (!*read) return;
    if (message.has_spawn()) Spawn(std::move(*message.mutable_spawn()), reader_.TakeFds());
    if (message.has_signal()) Signal(message.signal());
    if (message.has_scratch() && message.scratch().gone()) scratch_.erase(message.scratch().folder());
    if (message.has_scratch() && !message.scratch().gone()) scratch_.insert(message.scratch().folder());
  }
}

void SpawnerLoop::Send(const v1::FromSpawner& message) { Sent(writer_.Write(message)); }

void SpawnerLoop::Sent(const absl::StatusOr<bool>& done) {
  if (!done.ok()) return loop_.Stop();
  if (*done) return;
  if (writer_.shortage().empty()) {
    loop_.WaitWritable(socket_, [this] { Sent(writer_.Flush()); });
  } else {
    loop_.PostAfter(rpc::kShortageWait, [this] { Sent(writer_.Flush()); });
  }
}

void SpawnerLoop::NotStarted(uint64_t key, const std::string& why) {
  v1::FromSpawner answer;
  answer.mutable_not_started()->set_key(key);
  answer.mutable_not_started()->set_why(why);
  Send(answer);
}

void SpawnerLoop::Spawn(v1::Spawn spawn, std::vector<base::Fd> fds) {
  const uint64_t key = spawn.key();
  std::array<int, 2> told{};
  if (fds.size() != kDescriptors || ::pipe2(told.data(), O_CLOEXEC) != 0) {
    return NotStarted(key, "the node's spawner has no room for more open descriptors (ulimit -n)");
  }
  base::Fd reading(told[0]);
  const base::Fd writing(told[1]);
  const NewProcess process{std::move(spawn), std::move(fds), open_files_, cgroups_.Make(key)};
  const pid_t self = ::getpid();
  const pid_t warden = ::fork();
  if (warden == 0) RunWarden(process, told[1], self);
  if (warden < 0) {
    const std::string why = WhyNoProcess(errno);
    RemoveCgroup(process.cgroup);
    return NotStarted(key, why);
  }
  ::fcntl(reading.get(), F_SETFL, O_NONBLOCK);
  Ward& ward = wards_[key];
  ward.warden = warden;
  ward.words = std::move(reading);
  keys_[warden] = key;
  loop_.Watch(ward.words.get(), [this, key] { OnWords(key); });
}

void SpawnerLoop::Signal(const v1::Signal& signal) {
  const auto found = wards_.find(signal.key());
  if (found == wards_.end()) return;
  OnWords(signal.key());  // the process may have ended
  Ward& ward = found->second;
  if (ward.state == State::kStarting) ward.signals.push_back(signal.number());
  if (ward.state == State::kForked || ward.state == State::kExecuted) SignalRank(ward.pid, signal.number());
}

// ---- wardens
void SpawnerLoop::OnWords(uint64_t key) {
  Ward& ward = wards_[key];
  while (ward.words.valid()) {
    WardenWord word;
    const ssize_t got = ::read(ward.words.get(), &word, sizeof(word));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    if (got == sizeof(word)) {
      OnWord(key, ward, word);
      continue;
    }
    loop_.Forget(ward.words.get());
    ward.words.Reset();
  }
}

void SpawnerLoop::OnWord(uint64_t key, Ward& ward, const WardenWord& word) {
  v1::FromSpawner answer;
  switch (word.kind) {
    case WardenWord::Kind::kForked:
      ward.state = State::kForked;
      ward.pid = word.number;
      keys_[ward.pid] = key;
      answer.mutable_forked()->set_key(key);
      answer.mutable_forked()->set_pid(ward.pid);
      for (const int number : std::exchange(ward.signals, {})) SignalRank(ward.pid, number);
      break;
    case WardenWord::Kind::kExecuted:
      ward.state = State::kExecuted;
      answer.mutable_executed()->set_key(key);
      break;
    case WardenWord::Kind::kNotStarted:
      ward.state = State::kOver;
      return NotStarted(key, word.text.data());
    case WardenWord::Kind::kEnded:
      ward.state = State::kEnded;
      answer.mutable_ended()->set_key(key);
      answer.mutable_ended()->set_status(word.number);
      break;
  }
  Send(answer);
}

// ---- ends
void SpawnerLoop::Reap() {
  int status = 0;
  pid_t pid = 0;
  while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
    const auto found = keys_.find(pid);
    if (found == keys_.end()) continue;
    const uint64_t key = found->second;
    keys_.erase(found);
    if (wards_.count(key) == 0) continue;
    OnWords(key);
    if (pid == wards_[key].warden) {
      OnWardenReaped(key, status);
    } else {
      OnRankReaped(key, status);
    }
    ClearIfDone(key);
  }
  if (strays_) EndStrays();
}

void SpawnerLoop::ClearIfDone(uint64_t key) {
  Ward& ward = wards_[key];
  if (ward.state < State::kEnded || ward.warden != 0 || (ward.forsaken && strays_)) return;
  if (ward.state == State::kEnded) {
    v1::FromSpawner answer;
    answer.mutable_cleared()->set_key(key);
    Send(answer);
  }
  if (ward.words.valid()) loop_.Forget(ward.words.get());
  wards_.erase(key);
  cgroups_.Remove(key);  // of a warden that could not
}

// A worker process becomes this process's child when its warden has ended: after the warden has reported its end, or
// because the warden was killed.
void SpawnerLoop::OnRankReaped(uint64_t key, int status) {
  Ward& ward = wards_[key];
  if (ward.state >= State::kEnded) return;
  if (ward.state == State::kExecuted) {
    ward.state = State::kEnded;
    v1::FromSpawner answer;
    answer.mutable_ended()->set_key(key);
    answer.mutable_ended()->set_status(status);
    return Send(answer);
  }
  ward.state = State::kOver;
  NotStarted(key, absl::StrCat("before it could become the program it ", CauseOfDeath(status)));
}

void SpawnerLoop::OnWardenReaped(uint64_t key, int status) {
  Ward& ward = wards_[key];
  ward.warden = 0;
  if (status != 0) {
    ward.forsaken = true;
    strays_ = true;
    cgroups_.Kill(key);
  }
  if (ward.state != State::kStarting) return;  // the worker process is waited for
  ward.state = State::kOver;
  NotStarted(key, absl::StrCat("the process that was to start it ", CauseOfDeath(status)));
}

void SpawnerLoop::EndStrays() {
  strays_ = false;
  for (const pid_t pid : OwnChildren()) {
    const auto key = keys_.find(pid);
    const auto ward = key == keys_.end() ? wards_.end() : wards_.find(key->second);
    if (ward != wards_.end() && ward->second.warden == pid) continue;
    ::kill(pid, SIGKILL);
    strays_ = true;
  }
  if (strays_) return;
  std::vector<uint64_t> forsaken;
  for (const auto& [key, ward] : wards_) {
    if (ward.forsaken) forsaken.push_back(key);
  }
  for (const uint64_t key : forsaken) ClearIfDone(key);
}

void SpawnerLoop::EndAll() {
  for (const auto& [key, ward] : wards_) {
    if (ward.state == State::kForked || ward.state == State::kExecuted) SignalRank(ward.pid, SIGKILL);
  }
  EndOwnChildren(kEndRounds);
  cgroups_.EndAll();
  RemoveScratch(scratch_);
}

}  // namespace twinkle::worker

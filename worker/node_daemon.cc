#include "worker/node_daemon.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "runtime/base/shortage.h"
#include "runtime/base/status.h"
#include "runtime/rpc/protocol.h"
#include "worker/glance.h"

namespace twinkle::worker {
namespace {

constexpr size_t kLastLines = 10;
// How long after a process has closed its role's socket the kernel is asked whether the process still runs.
constexpr absl::Duration kEndMoment = absl::Milliseconds(100);

base::Fd PidFd(int pid) { return base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

v1::ToWorker RoleOf(const v1::StartJob& job, const v1::Process& process, const std::string& driver) {
  v1::ToWorker message;
  v1::WorkerRole& role = *message.mutable_role();
  role.set_protocol(rpc::kProtocol);
  *role.mutable_job() = job;
  role.mutable_job()->clear_processes();
  *role.mutable_process() = process;
  role.set_driver(driver);
  return message;
}

}  // namespace

NodeDaemon::NodeDaemon(DaemonOptions options, Spawner spawner, base::FdLoop* loop, OutputStore* output,
                       ProgramStore* store, SideThreads* threads, Events events)
    : options_(std::move(options)),
      loop_(*loop),
      output_(*output),
      store_(*store),
      events_(std::move(events)),
      state_(options_.state),
      timers_([loop](absl::Duration wait, base::Task task) { loop->PostAfter(wait, std::move(task)); }, &base::Now),
      processes_({.exec_limit = options_.state.start_limit}, std::move(spawner), loop, &timers_, this),
      looks_(options_.look_interval, &timers_, threads,
             {[this] { return state_.Running(); },
              [this](const Looks::Glances& glances, base::Instant awake) {
                Handle([&](Effects* effects) {
                  for (const auto& [process, glance] : glances) state_.OnGlance(process, glance, awake, effects);
                });
              }}) {}

// Carries out the effects of an event. Effects may cause further events, whose effects are carried out afterwards.
template <class Event>
void NodeDaemon::Handle(Event event) {
  Effects effects;
  event(&effects);
  for (Effect& effect : effects) effects_.push_back(std::move(effect));
  if (std::exchange(carrying_out_, true)) return;
  while (!effects_.empty()) {
    const Effect effect = std::move(effects_.front());
    effects_.pop_front();
    Do(effect);
  }
  carrying_out_ = false;
}

void NodeDaemon::OnMessage(const v1::DriverToNode& message) {
  if (state_.FindJob(message.start().job()) == nullptr) {  // a job that is here already is not begun again
    for (const v1::Process& process : message.start().processes()) output_.AddProcess(message.start().job(), process);
  }
  Handle([&](Effects* effects) { state_.OnMessage(message, effects); });
}

void NodeDaemon::EndAllJobs() {
  Handle([&](Effects* effects) { state_.OnDriverGone(effects); });
}

// ---- effects
void NodeDaemon::Do(const Effect& effect) {
  if (const auto* to_driver = std::get_if<ToDriver>(&effect)) return events_.to_driver(to_driver->message);
  if (const auto* say = std::get_if<Say>(&effect)) return events_.say(say->text);
  if (const auto* signal = std::get_if<SignalProcess>(&effect)) {
    return processes_.Signal(signal->process, signal->number);
  }
  if (const auto* to_process = std::get_if<ToProcess>(&effect)) return Do(*to_process);
  if (const auto* bring = std::get_if<BringProgram>(&effect)) return Do(*bring);
  if (const auto* watch = std::get_if<WatchProgram>(&effect)) return Do(*watch);
  if (const auto* start = std::get_if<StartProcess>(&effect)) return Do(*start);
  if (const auto* close = std::get_if<CloseProcess>(&effect)) return Do(*close);
  if (const auto* drop = std::get_if<DropJob>(&effect)) return Do(*drop);
  if (const auto* timer = std::get_if<SetTimer>(&effect)) return Do(*timer);
  if (const auto* note = std::get_if<Note>(&effect)) return Do(*note);
}

void NodeDaemon::Do(const ToProcess& effect) {
  const auto rank = ranks_.find(effect.process);  // none: its turn to start has not come
  if (rank != ranks_.end()) rank->second.link->Write(effect.message);
}

void NodeDaemon::Do(const BringProgram& effect) {
  store_.Bring(effect.start, [this, job = effect.start.job()](absl::StatusOr<Brought> brought) {
    OnProgram(job, std::move(brought));
  });
}

void NodeDaemon::OnProgram(uint64_t job, absl::StatusOr<Brought> brought) {
  if (brought.ok()) programs_[job] = *brought;
  Handle([&](Effects* effects) { state_.OnProgramReady(job, brought.status(), effects); });
}

void NodeDaemon::Do(const WatchProgram& effect) {
  const auto gone = [this, job = effect.job] {
    StopWatching(job);
    Handle([&](Effects* effects) { state_.OnProgramGone(job, effects); });
  };
  base::Fd program = PidFd(effect.pid);
  if (program.valid()) {
    loop_.Watch(program.get(), gone);
    watched_[effect.job] = std::move(program);
  } else if (errno == ESRCH) {
    loop_.Post(gone);
  }
}

void NodeDaemon::StopWatching(uint64_t job) {
  const auto program = watched_.find(job);
  if (program == watched_.end()) return;
  loop_.Forget(program->second.get());
  watched_.erase(program);
}

void NodeDaemon::Do(const StartProcess& effect) {
  processes_.Start(effect.process, [this, process = effect.process] { return LaunchOf(process); });
}

// Makes a process's descriptors. They are made when its turn to start has come: hundreds of processes may be queued.
absl::StatusOr<Launch> NodeDaemon::LaunchOf(uint64_t process) {
  const v1::Process* const facts = state_.FindProcess(process);
  const v1::StartJob* const job = state_.JobOf(process);
  if (facts == nullptr || job == nullptr) return absl::CancelledError("its job has ended");
  const Brought& brought = programs_[job->job()];
  RankEnds ends;
  RankLink::Events events{[this, process](const v1::FromWorker& message) {
                            if (message.has_listening()) processes_.Settle(process);
                            Handle([&](Effects* effects) { state_.OnSaid(process, message, effects); });
                          },
                          [this, process](bool error, const std::vector<OutputLine>& lines) {
                            output_.Add(process, ranks_[process].pid, error, lines);
                          },
                          [this, process] { OnRoleClosed(process); }};
  TWINKLE_ASSIGN_OR_RETURN(auto link, RankLink::Make(&loop_, std::move(events), &ends));
  Launch launch;
  launch.executable = base::Fd(::fcntl(brought.program->get(), F_DUPFD_CLOEXEC, 0));
  if (!launch.executable.valid()) return base::ErrnoStatus(errno, "the program's descriptor could not be copied");
  launch.arguments = {job->program().arguments().begin(), job->program().arguments().end()};
  launch.environment = EnvironmentOf(*job, *facts, options_.node, options_.object_memory, options_.access);
  if (!brought.folder.empty()) launch.environment.push_back(absl::StrCat("TWINKLE_FILES=", brought.folder));
  launch.directory = job->program().directory();
  launch.ignored_signals = job->program().ignored_signals();
  launch.blocked_signals = job->program().blocked_signals();
  launch.role = std::move(ends.role);
  launch.output = std::move(ends.output);
  launch.error = std::move(ends.error);
  link->Write(RoleOf(*job, *facts, options_.state.driver));
  ranks_[process].link = std::move(link);
  return launch;
}

void NodeDaemon::Do(const CloseProcess& effect) { ranks_.erase(effect.process); }

void NodeDaemon::Do(const DropJob& effect) {
  StopWatching(effect.job);
  programs_.erase(effect.job);
  store_.Drop(effect.job);
  output_.EndJob(effect.job);
}

void NodeDaemon::Do(const SetTimer& effect) {
  timers_.After(effect.after, [this, effect] { Handle([&](Effects* effects) { state_.OnTimer(effect, effects); }); });
}

void NodeDaemon::Do(const Note& effect) {
  if (const auto rank = ranks_.find(effect.process); rank != ranks_.end()) {
    output_.AddNote(effect.process, rank->second.pid, effect.text);
  }
}

// ---- processes
void NodeDaemon::OnStarted(uint64_t process, pid_t pid) {
  if (const auto rank = ranks_.find(process); rank != ranks_.end()) rank->second.pid = pid;
  Handle([&](Effects* effects) { state_.OnStarted(process, pid, effects); });
  looks_.Begin();
}

void NodeDaemon::OnNotStarted(uint64_t process, const std::string& why) {
  output_.Add(process, 0, true, {{why, false}});
  Handle([&](Effects* effects) { state_.OnNotStarted(process, why, effects); });
}

// A closed socket usually means that the process has ended, which is reported separately. If the process still runs a
// moment later it has left its job.
void NodeDaemon::OnRoleClosed(uint64_t process) {
  timers_.After(kEndMoment, [this, process] {
    const auto rank = ranks_.find(process);
    if (rank == ranks_.end() || !TellsOfOwnPids() || !GoesOn(rank->second.pid)) return;
    Handle([&](Effects* effects) { state_.OnLeft(process, effects); });
  });
}

// What the process has printed is read before its end is decided upon.
void NodeDaemon::OnEnded(uint64_t process, int status) {
  const auto rank = ranks_.find(process);
  if (rank != ranks_.end() && rank->second.link != nullptr) rank->second.link->Drain();
  const Death death{status, out_of_memory_.Rose(), output_.LastLines(process, kLastLines)};
  Handle([&](Effects* effects) { state_.OnEnded(process, death, effects); });
}

void NodeDaemon::OnCleared(uint64_t process) {
  Handle([&](Effects* effects) { state_.OnCleared(process, effects); });
}

void NodeDaemon::OnOrphansEnded() {
  Handle([&](Effects* effects) { state_.OnAllCleared(effects); });
}

void NodeDaemon::DrainAll() const {
  for (const auto& [process, rank] : ranks_) {
    if (rank.link != nullptr) rank.link->Drain();
  }
}

void NodeDaemon::EndOutput() {
  DrainAll();
  output_.EndAllJobs();
}

void NodeDaemon::OnSpawnerGone() {
  processes_.KillAll();
  events_.end_orphans();  // what they print until then is read by DrainAll
  DrainAll();
  Handle([&](Effects* effects) {
    state_.OnSpawnerGone("was ended with the node's spawner, which was killed or has crashed", effects);
  });
  events_.on_spawner_gone();
}

}  // namespace twinkle::worker

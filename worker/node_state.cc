#include "worker/node_state.h"

#include <absl/strings/str_cat.h>
#include <sys/wait.h>

#include <csignal>
#include <utility>

#include "runtime/base/cut_text.h"
#include "runtime/base/names.h"
#include "worker/cause_of_death.h"

namespace twinkle::worker {
namespace {

constexpr size_t kMostLineBytes = 2 << 10;  // of each of the last lines of a process that has ended
constexpr size_t kMostNameBytes = 1 << 10;
constexpr size_t kMostEndpointBytes = 4 << 10;

// Whether an endpoint is short enough to be one of the library's. A longer one is not believed.
bool IsShort(const v1::Endpoint& endpoint) { return endpoint.ByteSizeLong() <= kMostEndpointBytes; }

std::string WhoIs(const v1::Process& process) {
  return base::Printable(absl::StrCat(process.group(), ":", process.rank()));
}

// The text that says by what a process is stopped.
std::string Holder(const Glance& glance) {
  if (!glance.traced) return "stopped by a signal";
  return absl::StrCat("held by a debugger", glance.tracer == 0 ? "" : absl::StrCat(" (pid ", glance.tracer, ")"));
}

// A duration in whole seconds where it has them, as the option was given.
std::string Seconds(absl::Duration time) {
  const int64_t whole = absl::ToInt64Seconds(time);
  return time == absl::Seconds(whole) ? absl::StrCat(whole, " s") : absl::FormatDuration(time);
}

v1::NodeToDriver ExitOf(uint64_t job, uint64_t process, const std::string& cause) {
  v1::NodeToDriver told;
  v1::ProcessExited& exited = *told.mutable_exited();
  exited.set_job(job);
  exited.set_process(process);
  exited.set_cause(base::CutText(cause));
  return told;
}

v1::NodeToDriver ProcessClearedOf(uint64_t job, uint64_t process) {
  v1::NodeToDriver told;
  told.mutable_process_cleared()->set_job(job);
  told.mutable_process_cleared()->set_process(process);
  return told;
}

v1::NodeToDriver ClearedOf(uint64_t job) {
  v1::NodeToDriver told;
  told.mutable_cleared()->set_job(job);
  return told;
}

}  // namespace

void NodeState::Enter(Jobs::iterator job, JobState state, const std::string& why, Effects* effects) {
  job->second.state = state;
  effects->push_back(
      Say{absl::StrCat("job ", job->first, " (", base::Printable(job->second.start.program().name()), ") ", why)});
}

const v1::Process* NodeState::FindProcess(uint64_t process) const {
  const auto found = processes_.find(process);
  return found == processes_.end() ? nullptr : &found->second.facts;
}

const v1::StartJob* NodeState::FindJob(uint64_t job) const {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? nullptr : &found->second.start;
}

const v1::StartJob* NodeState::JobOf(uint64_t process) const {
  const auto found = processes_.find(process);
  return found == processes_.end() ? nullptr : FindJob(found->second.job);
}

std::vector<std::pair<uint64_t, int>> NodeState::Running() const {
  std::vector<std::pair<uint64_t, int>> running;
  for (const auto& [id, process] : processes_) {
    if (process.state >= ProcessState::kRunning) running.emplace_back(id, process.facts.place().pid());
  }
  return running;
}

void NodeState::TellDriver(const Job& job, v1::NodeToDriver message, Effects* effects) const {
  if (job.connection == connection_) effects->push_back(ToDriver{std::move(message)});
}

// ---- the driver
void NodeState::OnMessage(const v1::DriverToNode& message, Effects* effects) {
  if (message.has_start()) OnStart(message.start(), effects);
  if (message.has_peers()) {
    v1::ToWorker peers;
    *peers.mutable_peers() = message.peers();
    ToAll(message.peers().job(), peers, effects);
  }
  if (message.has_lost()) {
    v1::ToWorker lost;
    *lost.mutable_lost() = message.lost();
    ToAll(0, lost, effects);  // to all jobs: guests of that job must hear it, too
  }
  for (uint64_t id : message.end().processes()) {
    const auto process = processes_.find(id);
    if (process != processes_.end() && process->second.job == message.end().job()) Kill(process, effects);
  }
  if (message.has_stop()) OnStop(message.stop(), effects);
}

void NodeState::OnDriverGone(Effects* effects) {
  ++connection_;
  std::vector<uint64_t> numbers;
  numbers.reserve(jobs_.size());
  for (const auto& entry : jobs_) numbers.push_back(entry.first);
  for (uint64_t number : numbers) Stop(number, absl::ZeroDuration(), "there is no driver for it", effects);
}

void NodeState::ToAll(uint64_t job, const v1::ToWorker& message, Effects* effects) const {
  for (const auto& [id, process] : processes_) {
    if (job == 0 || process.job == job) effects->push_back(ToProcess{id, message});
  }
}

// ---- a job's begin
void NodeState::OnStart(const v1::StartJob& start, Effects* effects) {
  const auto [job, is_new] = jobs_.emplace(start.job(), Job{start, JobState::kBringing, connection_, {}});
  if (!is_new) {
    effects->push_back(Say{absl::StrCat("job ", start.job(), " is here already: it is not begun again")});
    if (job->second.connection == connection_) return;
    const std::string why = absl::StrCat("was not started: node '", options_.node, "' still ends the job ", start.job(),
                                         " of an earlier driver; run the program again");
    for (const v1::Process& process : start.processes()) {
      effects->push_back(ToDriver{ExitOf(start.job(), process.id(), why)});
    }
    return;
  }
  for (const v1::Process& facts : start.processes()) {
    if (!processes_.emplace(facts.id(), Process{start.job(), facts}).second) continue;
    job->second.processes.insert(facts.id());
  }
  Enter(job, JobState::kBringing, absl::StrCat("begins with ", job->second.processes.size(), " processes here"),
        effects);
  const v1::Place& place = start.program().place();
  if (const absl::Status refused = Admit(place); !refused.ok()) return OnProgramReady(start.job(), refused, effects);
  if (!place.pids().empty() && place.pids() == options_.pids) {
    effects->push_back(WatchProgram{start.job(), place.pid()});
  }
  effects->push_back(BringProgram{start});
  effects->push_back(SetTimer{SetTimer::Kind::kBring, start.job(), connection_, options_.bring_limit});
}

absl::Status NodeState::Admit(const v1::Place& program) const {
  if (options_.only_machine.empty() || program.machine() == options_.only_machine) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("its program runs on another machine (host '", base::CutText(program.host(), kMostNameBytes),
                   "'), and the node daemon of '", options_.node,
                   "', which is root, runs those of its own alone: run it as another user, or with --allow-root "
                   "(TWINKLE_ALLOW_ROOT=1) where root is not the machine's (a container)"));
}

void NodeState::OnProgramReady(uint64_t number, const absl::Status& brought, Effects* effects) {
  const auto job = jobs_.find(number);
  if (job == jobs_.end() || job->second.state != JobState::kBringing) return;
  Enter(job, JobState::kRunning, brought.ok() ? "has its program here" : "cannot have its program here", effects);
  absl::Status why = brought;
  if (why.ok() && spawner_gone_) why = absl::UnavailableError(*spawner_gone_);
  const std::set<uint64_t> processes = job->second.processes;
  for (uint64_t process : processes) {
    if (why.ok()) {
      processes_.at(process).state = ProcessState::kStarting;
      effects->push_back(StartProcess{process});
    } else {
      End(process, std::string(why.message()), {}, effects);
    }
  }
}

void NodeState::OnProgramGone(uint64_t number, Effects* effects) {
  const auto job = jobs_.find(number);
  if (job == jobs_.end()) return;
  v1::NodeToDriver gone;
  gone.mutable_program_gone()->set_job(number);
  TellDriver(job->second, std::move(gone), effects);
  Stop(number, absl::ZeroDuration(), "its program is gone", effects);
}

// ---- processes
void NodeState::OnStarted(uint64_t id, int pid, Effects* effects) {
  const auto found = processes_.find(id);
  if (found == processes_.end() || found->second.state != ProcessState::kStarting) return;
  Process& process = found->second;
  process.state = ProcessState::kRunning;
  process.facts.mutable_place()->set_pid(pid);
  if (process.endpoint) return TellListens(process, effects);
  effects->push_back(SetTimer{SetTimer::Kind::kStart, id, jobs_.at(process.job).connection, options_.start_limit});
}

void NodeState::OnNotStarted(uint64_t id, const std::string& why, Effects* effects) { End(id, why, {}, effects); }

void NodeState::OnSaid(uint64_t id, const v1::FromWorker& message, Effects* effects) {
  const auto found = processes_.find(id);
  if (found == processes_.end()) return;
  Process& process = found->second;
  if (message.has_listening() && !process.endpoint && IsShort(message.listening())) {
    process.endpoint = message.listening();
    // The process may say so before its start is reported; then OnStarted reports it.
    if (process.state == ProcessState::kRunning) TellListens(process, effects);
  }
  if (message.has_end_group()) {
    v1::NodeToDriver told;
    v1::EndGroup& end = *told.mutable_end_group();
    end.set_job(process.job);
    end.set_group(base::CutText(message.end_group().group(), kMostNameBytes));
    end.set_cause(base::CutText(message.end_group().cause()));
    end.set_cut(message.end_group().cut());
    TellDriver(jobs_.at(process.job), std::move(told), effects);
  }
}

void NodeState::TellListens(Process& process, Effects* effects) {
  process.state = ProcessState::kListening;
  v1::NodeToDriver told;
  v1::ProcessListens& listens = *told.mutable_listens();
  listens.set_job(process.job);
  listens.set_process(process.facts.id());
  listens.set_pid(process.facts.place().pid());
  *listens.mutable_endpoint() = *process.endpoint;
  TellDriver(jobs_.at(process.job), std::move(told), effects);
}

void NodeState::OnLeft(uint64_t id, Effects* effects) {
  const auto found = processes_.find(id);
  if (found == processes_.end() || found->second.signalled) return;
  found->second.left_job = true;
  TellPeople(id, found->second, "has left its job without ending: it is killed", effects);
  Kill(found, effects);
}

void NodeState::OnEnded(uint64_t id, const Death& death, Effects* effects) {
  const auto found = processes_.find(id);
  if (found != processes_.end()) End(id, CauseOf(found->second, death), death.last_lines, effects);
}

std::string NodeState::CauseOf(const Process& process, const Death& death) const {
  if (process.missed_start_limit) {
    return absl::StrCat("did not reach twinkle::Initialize within ", absl::FormatDuration(options_.start_limit),
                        " (call it, or ServeIfWorker, at the top of main)");
  }
  const bool killed = WIFSIGNALED(death.wait_status) && WTERMSIG(death.wait_status) == SIGKILL;
  if (std::string why = WhyKilled(process); killed && !why.empty()) return why;
  std::string cause = CauseOfDeath(death.wait_status);
  if (killed && !process.signalled && death.out_of_memory) {
    absl::StrAppend(&cause, "; the node ran out of memory: the kernel has just killed a process for it");
  }
  return cause;
}

std::string NodeState::WhyKilled(const Process& process) const {
  const Glance& last = process.stoppage.last();
  if (process.outlasted_stopped_limit) {
    return absl::StrCat("was ", last.traced ? Holder(last) : "stopped", " for ", Seconds(options_.stopped_limit),
                        " (--stopped-limit)");
  }
  if (process.left_job) {
    return "left its job without ending, and was killed: it replaced its program (exec), or closed descriptors that it "
           "had not opened; a method starts another program in a child (posix_spawn, or fork and exec)";
  }
  if (!process.outlasted_grace) return "";
  if (process.stoppage.state() == Stoppage::State::kStopped) {
    return absl::StrCat("was ", Holder(last), " when the abort_grace of the session's end was over, and was killed");
  }
  return "was still at work (in a method, a destructor or an exit handler) when the abort_grace of the session's end "
         "was over, and was killed: InitializeOptions.abort_grace says how long that may take";
}

// ---- processes that are stopped
void NodeState::OnGlance(uint64_t id, const Glance& glance, base::Instant awake, Effects* effects) {
  const auto found = processes_.find(id);
  if (found == processes_.end() || found->second.signalled) return;
  Process& process = found->second;
  const bool was_stopped = process.stoppage.state() == Stoppage::State::kStopped;
  process.stoppage.Look(glance, awake);
  const bool is_stopped = process.stoppage.state() == Stoppage::State::kStopped;
  if (was_stopped && !is_stopped) return TellPeople(id, process, "goes on", effects);
  if (!is_stopped) return;
  if (!was_stopped) TellPeople(id, process, StoppedText(process), effects);
  if (process.stoppage.Lasts(awake) < options_.stopped_limit) return;
  TellPeople(id, process, absl::StrCat("has been stopped for ", Seconds(options_.stopped_limit), ": it is killed"),
             effects);
  process.outlasted_stopped_limit = true;
  Kill(found, effects);
}

std::string NodeState::StoppedText(const Process& process) const {
  const Glance& glance = process.stoppage.last();
  std::string goes_on = "it goes on";
  if (!glance.traced) absl::StrAppend(&goes_on, " (kill -CONT ", process.facts.place().pid(), ")");
  std::string text = absl::StrCat("is ", Holder(glance), ": calls on it wait until ", goes_on);
  if (options_.stopped_limit == absl::InfiniteDuration()) return text;
  return absl::StrCat(text, ", for ", Seconds(options_.stopped_limit),
                      " at most (--stopped-limit): then it is killed, and its group is lost");
}

void NodeState::TellPeople(uint64_t id, const Process& process, const std::string& what, Effects* effects) const {
  const std::string text = absl::StrCat("rank ", WhoIs(process.facts), " (node '", options_.node, "', pid ",
                                        process.facts.place().pid(), ") ", what);
  effects->push_back(Say{absl::StrCat("job ", process.job, ": ", text)});
  effects->push_back(Note{id, text});
}

void NodeState::OnSpawnerGone(const std::string& why, Effects* effects) {
  spawner_gone_ = why;
  std::vector<uint64_t> all;
  all.reserve(processes_.size());
  for (const auto& entry : processes_) all.push_back(entry.first);
  for (uint64_t process : all) End(process, why, {}, effects);
}

void NodeState::Kill(Processes::iterator process, Effects* effects) {
  if (process->second.state == ProcessState::kWaiting) {
    return End(process->first, "was ended before it was started", {}, effects);
  }
  process->second.signalled = true;
  effects->push_back(SignalProcess{process->first, SIGKILL});
}

void NodeState::End(uint64_t id, const std::string& cause, const std::vector<std::string>& last_lines,
                    Effects* effects) {
  const auto found = processes_.find(id);
  if (found == processes_.end()) return;
  const Process process = std::move(found->second);
  processes_.erase(found);
  const auto job = jobs_.find(process.job);
  job->second.processes.erase(id);
  v1::NodeToDriver told = ExitOf(process.job, id, cause);
  for (const std::string& line : last_lines) {
    told.mutable_exited()->add_last_lines(base::CutText(line, kMostLineBytes));
  }
  TellDriver(job->second, std::move(told), effects);
  if (process.state != ProcessState::kWaiting) effects->push_back(CloseProcess{id});
  if (!process.signalled && job->second.state != JobState::kStopping) {
    effects->push_back(Say{absl::StrCat("job ", process.job, ": rank ", WhoIs(process.facts), " (pid ",
                                        process.facts.place().pid(), ") ", base::Printable(base::CutText(cause)))});
  }
  if (process.state < ProcessState::kRunning) return ClearIfDone(process.job, effects);
  ++job->second.leaving;
  leaving_[id] = process.job;
}

void NodeState::OnCleared(uint64_t id, Effects* effects) {
  const auto found = leaving_.find(id);
  if (found == leaving_.end()) return;
  const uint64_t number = found->second;
  leaving_.erase(found);
  Job& job = jobs_.at(number);
  --job.leaving;
  // A stopping job reports all of its processes as cleared at once.
  if (job.state != JobState::kStopping) TellDriver(job, ProcessClearedOf(number, id), effects);
  ClearIfDone(number, effects);
}

void NodeState::OnAllCleared(Effects* effects) {
  while (!leaving_.empty()) OnCleared(leaving_.begin()->first, effects);
}

// ---- the end of a job
// Answers at once that nothing is left of a job that is unknown here, and of one that was not begun because a job of an
// earlier driver has its number.
void NodeState::OnStop(const v1::StopJob& stop, Effects* effects) {
  const auto job = jobs_.find(stop.job());
  if (job == jobs_.end() || job->second.connection != connection_) {
    return effects->push_back(ToDriver{ClearedOf(stop.job())});
  }
  Stop(stop.job(), absl::Milliseconds(stop.grace_ms()), "so the driver says", effects);
}

void NodeState::Stop(uint64_t number, absl::Duration grace, const std::string& why, Effects* effects) {
  const auto job = jobs_.find(number);
  if (job == jobs_.end()) return;
  if (job->second.state != JobState::kStopping) Enter(job, JobState::kStopping, absl::StrCat("ends: ", why), effects);
  const bool kill = grace <= absl::ZeroDuration();
  if (!kill) {
    v1::ToWorker stop;
    stop.mutable_stop()->set_job(number);
    stop.mutable_stop()->set_grace_ms(absl::ToInt64Milliseconds(grace));
    ToAll(number, stop, effects);
    // The processes end within the grace by themselves; the timer is for those that cannot.
    effects->push_back(SetTimer{SetTimer::Kind::kKill, number, job->second.connection, grace + options_.kill_margin});
  }
  const std::set<uint64_t> processes = job->second.processes;
  for (uint64_t id : processes) {
    const auto process = processes_.find(id);
    if (kill || process->second.state < ProcessState::kRunning) Kill(process, effects);
  }
  ClearIfDone(number, effects);
}

void NodeState::ClearIfDone(uint64_t number, Effects* effects) {
  const auto job = jobs_.find(number);
  if (job == jobs_.end() || job->second.state != JobState::kStopping) return;
  if (!job->second.processes.empty() || job->second.leaving > 0) return;
  effects->push_back(DropJob{number});
  effects->push_back(Say{absl::StrCat("job ", number, " has ended here")});
  TellDriver(job->second, ClearedOf(number), effects);
  jobs_.erase(job);
}

void NodeState::OnTimer(const SetTimer& timer, Effects* effects) {
  const auto process = timer.kind == SetTimer::Kind::kStart ? processes_.find(timer.key) : processes_.end();
  const auto job = jobs_.find(process == processes_.end() ? timer.key : process->second.job);
  if (job == jobs_.end() || job->second.connection != timer.connection) return;
  switch (timer.kind) {
    case SetTimer::Kind::kBring:
      return OnProgramReady(
          timer.key,
          absl::DeadlineExceededError(absl::StrCat(
              "the program and its files could not be brought to node '", options_.node, "' within ",
              absl::FormatDuration(options_.bring_limit), ": the storage, or the node that has them, does not answer")),
          effects);
    case SetTimer::Kind::kStart:
      if (process == processes_.end() || process->second.state != ProcessState::kRunning) return;
      if (process->second.stoppage.state() != Stoppage::State::kGoesOn) {  // stopped: it gets the whole time again
        return effects->push_back(timer);
      }
      process->second.missed_start_limit = true;
      return Kill(process, effects);
    case SetTimer::Kind::kKill:
      for (uint64_t id : job->second.processes) processes_.at(id).outlasted_grace = true;
      return Stop(timer.key, absl::ZeroDuration(), "its grace is over", effects);
  }
}

}  // namespace twinkle::worker

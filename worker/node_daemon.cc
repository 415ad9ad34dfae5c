#include "worker/node_daemon.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/rpc/file_digest.h"
#include "worker/cause_of_death.h"

namespace twinkle::worker {
namespace {

constexpr size_t kLastLines = 10;

absl::StatusOr<std::pair<rpc::Fd, rpc::Fd>> NewPipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "a pipe could not be made");
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return std::make_pair(rpc::Fd(ends[0]), rpc::Fd(ends[1]));
}

int PidFd(int pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

}  // namespace

NodeDaemon::NodeDaemon(DaemonOptions options, Spawner spawner, base::FdLoop* loop, OutputStore* output, OnFatal fatal)
    : options_(std::move(options)),
      loop_(*loop),
      spawner_({.exec_limit = options_.start_limit}, std::move(spawner), loop, this),
      output_(*output),
      fatal_(std::move(fatal)) {}

void NodeDaemon::OnMessage(const v1::DriverToNode& message) {
  if (message.has_start()) Start(message.start());
  if (message.has_peers()) {
    v1::ToWorker peers;
    *peers.mutable_peers() = message.peers();
    ToWorkers(message.peers().job(), peers);
  }
  if (message.has_lost()) {
    v1::ToWorker lost;
    *lost.mutable_lost() = message.lost();
    ToWorkers(0, lost);
  }
  if (message.has_end()) {
    for (uint64_t process : message.end().processes()) Signal(process, SIGKILL);
  }
  if (message.has_stop()) Stop(message.stop().job(), absl::Milliseconds(message.stop().grace_ms()));
}

// ---- starting
void NodeDaemon::Start(const v1::StartJob& start) {
  Job& job = jobs_[start.job()];
  job.start = start;
  WatchProgram(start.job(), job);
  for (const v1::Process& facts : start.processes()) output_.AddProcess(start.job(), facts);
  auto program = std::make_shared<absl::StatusOr<rpc::Fd>>(OpenProgram(start.program()));
  const std::string& from = start.program_node().address();
  if (program->ok() || start.program().digest().empty() || from.empty() || !options_.fetch) {
    return BringFiles(start, 0, program);
  }
  v1::FetchProgram wanted;
  wanted.set_pid(start.program().place().pid());
  options_.fetch(wanted, start.program().digest(), from, [this, start, program](absl::StatusOr<rpc::Fd> copy) {
    if (copy.ok()) {
      *program = std::move(copy);
    } else {
      *program = base::Annotate(copy.status(), absl::StrCat(program->status().message(), "; nor be brought from ",
                                                            start.program_node().address()));
    }
    BringFiles(start, 0, program);
  });
}

void NodeDaemon::BringFiles(const v1::StartJob& start, int next,
                            const std::shared_ptr<absl::StatusOr<rpc::Fd>>& program) {
  const auto found = jobs_.find(start.job());
  if (found == jobs_.end() || found->second.stopping) return;
  const bool same_machine = start.program().place().machine() == options_.node.place().machine();
  for (; program->ok() && next < start.program().files_size(); ++next) {
    const v1::File& file = start.program().files(next);
    if (!same_machine && options_.fetch) {
      v1::FetchProgram wanted;
      wanted.set_path(file.path());
      return options_.fetch(wanted, file.digest(), start.program_node().address(),
                            [this, start, next, program](absl::StatusOr<rpc::Fd> copy) {
                              const auto job = jobs_.find(start.job());
                              if (job == jobs_.end()) return;
                              const v1::File& brought = start.program().files(next);
                              const absl::Status put =
                                  copy.ok() ? PutFile(job->second, brought, copy->get()) : copy.status();
                              if (!put.ok()) *program = base::Annotate(put, absl::StrCat("its file ", brought.path()));
                              BringFiles(start, next + 1, program);
                            });
    }
    if (const absl::Status put = PutFile(found->second, file, -1); !put.ok()) *program = put;
  }
  StartAll(start, *program);
}

// On the program's own machine a link; else a copy, whose descriptor is given.
absl::Status NodeDaemon::PutFile(Job& job, const v1::File& file, int copy) {
  namespace fs = std::filesystem;
  std::error_code failed;
  if (job.files.empty()) {
    const std::string name = absl::StrCat("twinkle-job-", job.start.job(), "-XXXXXX");
    std::string folder = (fs::temp_directory_path(failed) / name).string();
    if (::mkdtemp(folder.data()) == nullptr) return absl::ErrnoToStatus(errno, "a folder for the job's files");
    job.files = folder;
    spawner_.KeepScratch(folder);
  }
  const fs::path to = fs::path(job.files) / fs::path(file.path()).filename();
  if (copy < 0) {
    fs::create_symlink(file.path(), to, failed);
  } else {
    fs::copy_file(absl::StrCat("/proc/self/fd/", copy), to, failed);
  }
  if (failed) return absl::UnavailableError(absl::StrCat(to.string(), ": ", failed.message()));
  return absl::OkStatus();
}

void NodeDaemon::StartAll(const v1::StartJob& start, const absl::StatusOr<rpc::Fd>& program) {
  const Job& job = jobs_[start.job()];
  std::shared_ptr<const rpc::Fd> executable;
  if (program.ok()) executable = std::make_shared<const rpc::Fd>(::fcntl(program->get(), F_DUPFD_CLOEXEC, 0));
  for (const v1::Process& facts : start.processes()) {
    if (program.ok()) {
      StartProcess(job, facts, executable);
    } else {
      CouldNotStart(start.job(), facts, std::string(program.status().message()));
    }
  }
}

// On the program's own machine the very file that it runs, replaced on disk or not; elsewhere the same path, if the
// file there is the same.
absl::StatusOr<rpc::Fd> NodeDaemon::OpenProgram(const v1::Program& program) const {
  if (program.place().machine() == options_.node.place().machine()) {
    rpc::Fd own(::open(absl::StrCat("/proc/", program.place().pid(), "/exe").c_str(), O_RDONLY | O_CLOEXEC));
    if (own.valid()) return own;
  }
  rpc::Fd file(::open(program.executable().c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("the program ", program.executable(), " cannot be opened on node '",
                                                   options_.node.name(), "'"));
  }
  if (program.digest().empty()) return file;
  TWINKLE_ASSIGN_OR_RETURN(const std::string digest, rpc::FileDigest(file.get()));
  if (digest == program.digest()) return file;
  return absl::FailedPreconditionError(absl::StrCat("the program ", program.executable(), " on node '",
                                                    options_.node.name(),
                                                    "' is another file than the one that was started (its SHA-256 is ",
                                                    digest, ", not ", program.digest(), "): put the same one there"));
}

void NodeDaemon::WatchProgram(uint64_t number, Job& job) {
  const v1::Place& place = job.start.program().place();
  if (place.machine() != options_.node.place().machine()) return;
  job.program = rpc::Fd(PidFd(place.pid()));
  const auto gone = [this, number] {
    const auto found = jobs_.find(number);
    if (found == jobs_.end()) return;
    if (found->second.program.valid()) loop_.Forget(found->second.program.get());
    found->second.program.Reset();
    v1::NodeToDriver message;
    message.mutable_program_gone()->set_job(number);
    send_(std::move(message));
    Stop(number, absl::ZeroDuration());
  };
  if (job.program.valid()) {
    loop_.Watch(job.program.get(), gone);
  } else if (errno == ESRCH) {
    loop_.Post(gone);
  }
}

void NodeDaemon::StartProcess(const Job& job, const v1::Process& facts,
                              const std::shared_ptr<const rpc::Fd>& executable) {
  const uint64_t key = facts.id();
  Process& process = processes_[key];
  process.job = job.start.job();
  process.facts = facts;
  jobs_[process.job].processes.insert(key);
  spawner_.Start(key, [this, key, executable] { return LaunchOf(key, *executable); });
}

// Its descriptors are made here and not before: hundreds may wait for their turn.
absl::StatusOr<Launch> NodeDaemon::LaunchOf(uint64_t key, const rpc::Fd& executable) {
  Process& process = processes_[key];
  const Job& job = jobs_[process.job];
  TWINKLE_ASSIGN_OR_RETURN(auto sockets, rpc::SocketPair());
  TWINKLE_ASSIGN_OR_RETURN(auto output, NewPipe());
  TWINKLE_ASSIGN_OR_RETURN(auto error, NewPipe());
  Launch launch;
  launch.executable = rpc::Fd(::fcntl(executable.get(), F_DUPFD_CLOEXEC, 0));
  if (!launch.executable.valid()) return absl::ErrnoToStatus(errno, "the program's descriptor could not be copied");
  launch.arguments = {job.start.program().arguments().begin(), job.start.program().arguments().end()};
  launch.environment = EnvironmentOf(job.start, process.facts, options_.node, options_.object_memory, options_.access);
  if (!job.files.empty()) launch.environment.push_back(absl::StrCat("TWINKLE_FILES=", job.files));
  launch.directory = job.start.program().directory();
  launch.ignored_signals = job.start.program().ignored_signals();
  launch.blocked_signals = job.start.program().blocked_signals();
  launch.role = std::move(sockets.second);
  launch.output = std::move(output.second);
  launch.error = std::move(error.second);
  process.role = std::move(sockets.first);
  ::fcntl(process.role.get(), F_SETFL, O_NONBLOCK);
  process.reader = std::make_unique<rpc::MessageReader>(process.role.get());
  process.writer = std::make_unique<rpc::MessageWriter>(process.role.get());
  process.pipes.push_back({std::move(output.first), false, {}});
  process.pipes.push_back({std::move(error.first), true, {}});
  loop_.Watch(process.role.get(), [this, key] { OnRole(key); });
  for (size_t i = 0; i < process.pipes.size(); ++i) {
    loop_.Watch(process.pipes[i].fd.get(), [this, key, i] { OnOutput(key, i); });
  }
  v1::ToWorker role;
  *role.mutable_role()->mutable_job() = job.start;
  role.mutable_role()->mutable_job()->clear_processes();  // a thousand of them would be told a thousand times
  *role.mutable_role()->mutable_process() = process.facts;
  role.mutable_role()->set_driver(options_.driver);
  Write(key, role);
  return launch;
}

void NodeDaemon::CouldNotStart(uint64_t job, const v1::Process& facts, const std::string& why) {
  v1::NodeToDriver message;
  message.mutable_exited()->set_job(job);
  message.mutable_exited()->set_process(facts.id());
  message.mutable_exited()->set_cause(why);
  send_(std::move(message));
}

// ---- the spawner
void NodeDaemon::OnStarted(uint64_t key, pid_t pid) {
  const auto found = processes_.find(key);
  if (found == processes_.end()) return;
  found->second.pid = pid;
  found->second.facts.mutable_place()->set_pid(pid);
  TellListens(found->second);
  loop_.PostAfter(options_.start_limit, [this, key] {
    const auto late = processes_.find(key);
    if (late == processes_.end() || late->second.listens) return;
    late->second.late = true;
    Signal(key, SIGKILL);
  });
}

void NodeDaemon::OnNotStarted(uint64_t key, const std::string& why) {
  const auto found = processes_.find(key);
  if (found == processes_.end()) return;
  Process& process = found->second;
  output_.Add(key, process.pid, true, why);
  CouldNotStart(process.job, process.facts, why);
  const uint64_t job = process.job;
  Forget(process);
  ClearIfDone(job);
}

void NodeDaemon::OnSpawnerGone() { fatal_(absl::InternalError("the spawner is gone")); }

void NodeDaemon::Signal(uint64_t key, int number) {
  const auto found = processes_.find(key);
  if (found == processes_.end()) return;
  found->second.ended = true;
  spawner_.Signal(key, number);
}

std::string NodeDaemon::CauseOf(const Process& process, int wait_status) {
  if (process.late) {
    return absl::StrCat("did not reach twinkle::Initialize within ", absl::FormatDuration(options_.start_limit),
                        " (call it, or ServeIfWorker, at the top of main)");
  }
  const bool by_another = WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL && !process.ended;
  return absl::StrCat(CauseOfDeath(wait_status),
                      by_another && out_of_memory_.Rose()
                          ? "; the node ran out of memory: the kernel has just killed a process for it"
                          : "");
}

void NodeDaemon::OnEnded(uint64_t key, int status) {
  const auto found = processes_.find(key);
  if (found == processes_.end()) return;
  Process& process = found->second;
  for (Pipe& pipe : process.pipes) {
    ReadOutput(process, pipe);
    if (!pipe.partial.empty()) output_.Add(key, process.pid, pipe.error, std::exchange(pipe.partial, {}));
  }
  v1::NodeToDriver message;
  v1::ProcessExited& exited = *message.mutable_exited();
  exited.set_job(process.job);
  exited.set_process(key);
  exited.set_cause(CauseOf(process, status));
  for (std::string& line : output_.LastLines(key, kLastLines)) exited.add_last_lines(std::move(line));
  send_(std::move(message));
  const uint64_t job = process.job;
  Forget(process);
  ClearIfDone(job);
}

void NodeDaemon::Forget(Process& process) {
  if (process.role.valid()) loop_.Forget(process.role.get());
  for (const Pipe& pipe : process.pipes) {
    if (pipe.fd.valid()) loop_.Forget(pipe.fd.get());
  }
  const uint64_t key = process.facts.id();
  const auto job = jobs_.find(process.job);
  if (job != jobs_.end()) job->second.processes.erase(key);
  processes_.erase(key);
}

// ---- worker processes
void NodeDaemon::ToWorkers(uint64_t job, const v1::ToWorker& message) {
  std::vector<uint64_t> keys;
  for (const auto& [key, process] : processes_) {
    if (job == 0 || process.job == job) keys.push_back(key);
  }
  for (uint64_t key : keys) Write(key, message);
}

void NodeDaemon::Write(uint64_t key, const v1::ToWorker& message) {
  if (processes_[key].writer == nullptr) return;  // its turn to start has not come
  const absl::StatusOr<bool> written = processes_[key].writer->Write(message);
  if (written.ok() && !*written) loop_.WaitWritable(processes_[key].role.get(), [this, key] { Flush(key); });
}

void NodeDaemon::Flush(uint64_t key) {
  const auto found = processes_.find(key);
  if (found == processes_.end()) return;
  const absl::StatusOr<bool> written = found->second.writer->Flush();
  if (written.ok() && !*written) loop_.WaitWritable(found->second.role.get(), [this, key] { Flush(key); });
}

// Once its number is known, too: a process may be up before the spawner has said so.
void NodeDaemon::TellListens(const Process& process) {
  if (!process.listens || process.pid == 0) return;
  v1::NodeToDriver told;
  told.mutable_listens()->set_job(process.job);
  told.mutable_listens()->set_process(process.facts.id());
  told.mutable_listens()->set_pid(process.pid);
  *told.mutable_listens()->mutable_endpoint() = process.endpoint;
  send_(std::move(told));
}

void NodeDaemon::OnRole(uint64_t key) {
  while (true) {
    const auto found = processes_.find(key);
    if (found == processes_.end()) return;
    Process& process = found->second;
    v1::FromWorker message;
    const absl::StatusOr<bool> read = process.reader->Next(&message);
    if (!read.ok()) return loop_.Forget(process.role.get());  // it is ending
    if (!*read) return;
    v1::NodeToDriver told;
    if (message.has_listening()) {
      process.listens = true;
      process.endpoint = message.listening();
      TellListens(process);
      continue;
    }
    if (message.has_end_group()) {
      *told.mutable_end_group() = message.end_group();
      told.mutable_end_group()->set_job(process.job);
    } else {
      continue;
    }
    send_(std::move(told));
  }
}

void NodeDaemon::OnOutput(uint64_t key, size_t pipe) {
  const auto found = processes_.find(key);
  if (found != processes_.end()) ReadOutput(found->second, found->second.pipes[pipe]);
}

void NodeDaemon::ReadOutput(Process& process, Pipe& pipe) {
  if (!pipe.fd.valid()) return;
  std::array<char, 16 << 10> chunk{};
  ssize_t got = 0;
  size_t total = 0;
  while ((got = ::read(pipe.fd.get(), chunk.data(), chunk.size())) > 0) {
    pipe.partial.append(chunk.data(), static_cast<size_t>(got));
    size_t begin = 0;
    for (size_t end = 0; (end = pipe.partial.find('\n', begin)) != std::string::npos; begin = end + 1) {
      output_.Add(process.facts.id(), process.pid, pipe.error, pipe.partial.substr(begin, end - begin));
    }
    pipe.partial.erase(0, begin);
    if (pipe.partial.size() > output_.longest_line()) {
      output_.Add(process.facts.id(), process.pid, pipe.error, std::exchange(pipe.partial, {}));
    }
    if ((total += static_cast<size_t>(got)) > (1 << 20)) return;  // the others' turn
  }
  if (got == 0) {
    loop_.Forget(pipe.fd.get());
    pipe.fd.Reset();
  }
}

// ---- the end of a job
void NodeDaemon::Stop(uint64_t number, absl::Duration grace) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end()) {
    v1::NodeToDriver cleared;
    cleared.mutable_cleared()->set_job(number);
    return send_(std::move(cleared));
  }
  Job& job = found->second;
  job.stopping = true;
  if (grace > absl::ZeroDuration()) {
    v1::ToWorker stop;
    stop.mutable_stop()->set_job(number);
    stop.mutable_stop()->set_grace_ms(absl::ToInt64Milliseconds(grace));
    ToWorkers(number, stop);
    for (uint64_t key : job.processes) {
      if (processes_[key].writer == nullptr) Signal(key, SIGKILL);
    }
    // The processes keep to the grace themselves; this is for those that cannot.
    loop_.PostAfter(grace + absl::Seconds(2), [this, number] { Stop(number, absl::ZeroDuration()); });
  } else {
    for (uint64_t key : job.processes) Signal(key, SIGKILL);
  }
  ClearIfDone(number);
}

void NodeDaemon::ClearIfDone(uint64_t number) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end() || !found->second.stopping || !found->second.processes.empty()) return;
  if (found->second.program.valid()) loop_.Forget(found->second.program.get());
  RemoveFiles(found->second);
  jobs_.erase(found);
  output_.EndJob(number);
  v1::NodeToDriver cleared;
  cleared.mutable_cleared()->set_job(number);
  send_(std::move(cleared));
}

void NodeDaemon::EndAllJobs() {
  send_ = [](const v1::NodeToDriver&) {};
  std::vector<uint64_t> numbers;
  numbers.reserve(jobs_.size());
  for (const auto& entry : jobs_) numbers.push_back(entry.first);
  for (uint64_t number : numbers) Stop(number, absl::ZeroDuration());
}

void NodeDaemon::RemoveFiles(const Job& job) {
  std::error_code ignored;
  if (!job.files.empty()) std::filesystem::remove_all(job.files, ignored);
}

void NodeDaemon::KillAll() {
  for (const auto& [number, job] : jobs_) RemoveFiles(job);
  spawner_.KillAll();
}

}  // namespace twinkle::worker

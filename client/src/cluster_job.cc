#include "client/src/cluster_job.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/time/clock.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <utility>

#include "client/src/cluster_member.h"
#include "client/src/job_description.h"
#include "client/src/program_files.h"
#include "client/src/start_facts.h"
#include "client/src/start_signals.h"
#include "client/src/worker_session.h"
#include "runtime/actor/failure.h"
#include "runtime/actor/groups.h"
#include "runtime/base/clock.h"
#include "runtime/base/cut_text.h"
#include "runtime/base/executor.h"
#include "runtime/base/log.h"
#include "runtime/base/names.h"
#include "runtime/base/shortage.h"
#include "runtime/base/status.h"
#include "runtime/base/threads.h"
#include "runtime/memory/leases.h"
#include "runtime/rpc/address.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/grpc_transport.h"
#include "runtime/rpc/place.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/secret.h"
#include "runtime/rpc/token.h"

namespace twinkle::internal {
namespace {

constexpr absl::Duration kPrivateLimit = absl::Seconds(20);
// For programs to be brought to the nodes and their worker processes to come up. The nodes end those that are late.
constexpr absl::Duration kStartLimit = absl::Minutes(15);
constexpr absl::Duration kLookAfter = absl::Milliseconds(50);

v1::Group GroupOf(const actor::GroupInfo& info, const DeviceGroup& declared) {
  v1::Group group;
  group.set_name(info.name);
  group.set_device_type(info.device_type);
  group.set_own_devices(declared.visible_devices == VisibleDevices::kOwn);
  for (size_t rank = 0; rank < info.workers.size(); ++rank) {
    v1::Group::Worker& worker = *group.add_workers();
    if (info.is_cpu()) {
      worker.set_slots(declared.devices_per_worker);
    } else {
      for (int device : info.devices[rank]) worker.add_devices(device);
    }
  }
  return group;
}

std::string ListenHost(const std::string& told) {
  if (told != "*") return told;
  const char* host = std::getenv("TWINKLE_HOST");
  return host != nullptr ? host : rpc::ThisHost();
}

// The token file is the program's machine's. Where a rank's driver is, and its token, its node says.
bool IsForRanks(absl::string_view variable) { return !absl::StartsWith(variable, "TWINKLE_TOKEN_FILE="); }

// Whether a node has to look for the program's file by its path: on another machine, or where its pid means nothing.
bool NeedsDigests(const v1::JobPlaced& placed) {
  const std::string machine = rpc::ThisMachine();
  const bool elsewhere = std::any_of(placed.processes().begin(), placed.processes().end(),
                                     [&](const v1::Process& one) { return one.place().machine() != machine; });
  if (elsewhere) return true;
  const std::string pids = rpc::ThisPids();
  return pids.empty() || std::any_of(placed.nodes().begin(), placed.nodes().end(),
                                     [&](const v1::NodeDescription& node) { return node.place().pids() != pids; });
}

void LogSilent(const std::vector<absl::string_view>& ranks) {
  constexpr size_t kNamed = 3;
  if (ranks.empty()) return;
  const size_t named = std::min(ranks.size(), kNamed);
  std::string who = absl::StrJoin(ranks.begin(), ranks.begin() + static_cast<ptrdiff_t>(named), ", ");
  if (ranks.size() > named) absl::StrAppend(&who, " and ", ranks.size() - named, " more");
  base::Log(base::LogLevel::kWarning,
            absl::StrCat(who, ranks.size() == 1 ? " does" : " do",
                         " not answer at the session's end: which calls are under way there, and which failures "
                         "nobody looked at, is not known"));
}

}  // namespace

ClusterJob::ClusterJob(const ClusterLimits& limits)
    : limits_(limits), table_(std::make_shared<PeerTable>(rpc::ThisMachine(), rpc::ThisPids())) {}

// ---- what the driver says
void ClusterJob::OnMessage(Told& told, v1::DriverToProgram message) {
  JobTalk::News news;
  {
    base::MutexLock lock(&told.mutex);
    news = told.talk.OnMessage(std::move(message));
    told.changed.SignalAll();
  }
  Carry(told, std::move(news));
}

void ClusterJob::OnEnd(Told& told, const absl::Status& status) {
  JobTalk::News news;
  {
    base::MutexLock lock(&told.mutex);
    news = told.talk.OnEnd(status);
    told.changed.SignalAll();
  }
  Carry(told, std::move(news));
}

// Without the lock: calls that fail may run what waits for them.
void ClusterJob::Carry(Told& told, JobTalk::News news) {
  if (!news.waits_for.empty()) {
    std::fprintf(stderr, "twinkle: the job waits for room in the cluster: %s\n",
                 base::PrintableLines(news.waits_for, "  ").c_str());
  }
  if (news.lost) told.losses.OnLost(*std::move(news.lost));
  if (!news.job_lost.ok()) told.losses.OnJobLost(news.job_lost);
}

// ---- the beginning
absl::StatusOr<std::unique_ptr<ClusterJob>> ClusterJob::Start(const InitializeOptions& options,
                                                              const ClusterLimits& limits) {
  TWINKLE_RETURN_IF_ERROR(base::CheckProcess());
  std::unique_ptr<ClusterJob> job(new ClusterJob(limits));
  job->grace_ = options.abort_grace;
  TWINKLE_ASSIGN_OR_RETURN(const v1::SubmitJob submit, job->Describe(options));  // before anything is started
  TWINKLE_RETURN_IF_ERROR(job->Connect(options));
  v1::ProgramToDriver message;
  *message.mutable_submit() = submit;
  job->stream_->Write(std::move(message));
  TWINKLE_ASSIGN_OR_RETURN(const v1::JobPlaced placed, job->AwaitPlaced(options.placement_timeout));
  TWINKLE_RETURN_IF_ERROR(job->Join(options, placed));
  return job;
}

absl::Status ClusterJob::Connect(const InitializeOptions& options) {
  const char* from_environment = std::getenv("TWINKLE_DRIVER");
  driver_ = !options.driver.empty() ? options.driver : from_environment != nullptr ? from_environment : "";
  // A private cluster's two services want as many.
  TWINKLE_RETURN_IF_ERROR(base::TryThreads(driver_.empty() ? 3 : 1));
  if (driver_.empty()) {
    TWINKLE_ASSIGN_OR_RETURN(private_, PrivateCluster::Start());
    driver_ = private_->role().target;
    token_ = private_->role().token;
    TWINKLE_RETURN_IF_ERROR(private_->AwaitReady(base::Now() + kPrivateLimit));
  } else {
    const char* const told_by = options.driver.empty() ? "TWINKLE_DRIVER" : "InitializeOptions.driver";
    TWINKLE_RETURN_IF_ERROR(rpc::ParseHostPort(driver_, told_by).status());
    TWINKLE_ASSIGN_OR_RETURN(token_, rpc::ReadToken(rpc::DefaultTokenFile()));
  }
  told_ = std::make_shared<Told>(private_ == nullptr ? absl::StrCat("at ", driver_) : "of the private cluster");
  rpc::KeepCallbacks();
  const auto channel = rpc::NewChannel(driver_, {.keep_alive = limits_.wires.services});
  const base::Instant deadline = base::Now() + limits_.connect;
  while (!rpc::WaitConnected(*channel, private_ == nullptr ? deadline : base::Now() + kLookAfter)) {
    if (private_ != nullptr) TWINKLE_RETURN_IF_ERROR(private_->CheckAlive());
    if (base::Now() < deadline) continue;
    return absl::UnavailableError(absl::StrCat("no driver answers at ", driver_, ": is twinkle-driver running there?"));
  }
  stream_ = Stream::Make({[told = told_](v1::DriverToProgram message) { OnMessage(*told, std::move(message)); },
                          [told = told_](const absl::Status& status) { OnEnd(*told, status); }});
  rpc::Introduce(stream_->context(), rpc::kTokenKey, token_);
  v1::Driver::NewStub(channel)->async()->Job(&stream_->context(), stream_.get());
  stream_->Begin();
  return absl::OkStatus();
}

absl::StatusOr<v1::SubmitJob> ClusterJob::Describe(const InitializeOptions& options) const {
  TWINKLE_ASSIGN_OR_RETURN(const std::vector<actor::GroupInfo> groups, actor::LayOutGroups(options.groups, 1));
  v1::SubmitJob submit;
  v1::Program& program = *submit.mutable_program();
  std::error_code ignored;
  program.set_executable(std::filesystem::read_symlink("/proc/self/exe", ignored).string());
  program.set_name(options.name.empty() ? NameFrom(program.executable()) : options.name);
  program.mutable_place()->set_machine(rpc::ThisMachine());
  program.mutable_place()->set_host(rpc::ThisHost());
  program.mutable_place()->set_pid(::getpid());
  program.mutable_place()->set_pids(rpc::ThisPids());
  StartFacts start = TheStart();
  for (std::string& word : start.arguments) program.add_arguments(std::move(word));
  for (std::string& variable : start.environment) {
    if (IsForRanks(variable)) program.add_environment(std::move(variable));
  }
  program.add_environment(absl::StrCat("TWINKLE_SEED=", options.seed));
  program.add_environment(absl::StrCat("TWINKLE_FULL_DETERMINISM=", options.full_determinism ? 1 : 0));
  program.set_directory(std::move(start.directory));
  program.set_ignored_signals(SignalsAtStart().ignored);
  program.set_blocked_signals(SignalsAtStart().blocked);
  for (size_t i = 0; i < groups.size(); ++i) *submit.add_groups() = GroupOf(groups[i], options.groups[i]);
  submit.set_devices_per_node(options.nproc_per_node);
  submit.set_slots_per_node(options.ncpu_proc_per_node);
  submit.set_placement_limit_ms(absl::ToInt64Milliseconds(std::min(options.placement_timeout, absl::Hours(24 * 365))));
  submit.set_session(EncodeSession(SessionOf(options)));
  TWINKLE_RETURN_IF_ERROR(CheckSize(submit));
  return submit;
}

// Of a private cluster both services are looked after meanwhile.
absl::Status ClusterJob::Await(JobTalk::Phase phase, base::Instant deadline) const {
  base::MutexLock lock(&told_->mutex);
  while (told_->talk.phase() < phase) {
    if (base::Now() >= deadline) return told_->talk.WhyLate();
    const base::Instant look = private_ == nullptr ? base::kForever : base::Now() + kLookAfter;
    told_->changed.WaitWithDeadline(&told_->mutex, std::min(deadline, look));
    if (private_ != nullptr) TWINKLE_RETURN_IF_ERROR(private_->CheckAlive());
  }
  return told_->talk.phase() == JobTalk::Phase::kEnded ? told_->talk.why_ended() : absl::OkStatus();
}

absl::StatusOr<v1::JobPlaced> ClusterJob::AwaitPlaced(absl::Duration placement_timeout) const {
  TWINKLE_RETURN_IF_ERROR(Await(JobTalk::Phase::kPlaced, base::Now() + placement_timeout + limits_.placement_margin));
  base::MutexLock lock(&told_->mutex);
  return told_->talk.placed();
}

absl::StatusOr<v1::JobPeers> ClusterJob::AwaitPeers() const {
  TWINKLE_RETURN_IF_ERROR(Await(JobTalk::Phase::kRunning, base::Now() + kStartLimit));
  base::MutexLock lock(&told_->mutex);
  return told_->talk.peers();
}

absl::Status ClusterJob::Join(const InitializeOptions& options, const v1::JobPlaced& placed) {
  placed_ = placed;
  const std::string host = ListenHost(placed.listen_host());
  TWINKLE_ASSIGN_OR_RETURN(auto transport, rpc::GrpcTransport::Listen({.self = placed.process(),
                                                                       .socket = rpc::NewSocketName(),
                                                                       .host = host,
                                                                       .secret = placed.secret(),
                                                                       .redial = limits_.wires.redial,
                                                                       .keep_alive = limits_.wires.processes,
                                                                       .compression = options.compression}));
  v1::ProgramToDriver message;
  v1::ProgramListens& listens = *message.mutable_listens();
  listens.mutable_endpoint()->set_socket(transport->socket());
  const bool elsewhere = NeedsDigests(placed);
  if (!host.empty()) listens.mutable_endpoint()->set_address(rpc::JoinHostPort(host, transport->port()));
  if (elsewhere) {
    TWINKLE_ASSIGN_OR_RETURN(*listens.mutable_digest(), OwnDigest());
  }
  TWINKLE_ASSIGN_OR_RETURN(const std::vector<v1::File> files, DescribeFiles(options.files, elsewhere));
  *listens.mutable_files() = {files.begin(), files.end()};
  stream_->Write(std::move(message));
  TWINKLE_ASSIGN_OR_RETURN(const v1::JobPeers peers, AwaitPeers());

  rpc::GrpcTransport* const raw = transport.get();
  for (const v1::Process& peer : peers.processes()) {
    auto introduction = table_->Add(peer);
    if (peer.id() == placed.process()) continue;
    raw->Introduce(peer.id(), std::move(introduction));
    workers_.push_back(peer.id());
    names_[peer.id()] =
        absl::StrCat("rank ", peer.rank(), " of group '", peer.group(), "' (", PlaceText(peer.place()), ")");
  }
  TWINKLE_ASSIGN_OR_RETURN(groups_, actor::LayOutGroups(options.groups, placed.process() + 1));
  actor::ProcessOptions process = OptionsFrom(SessionOf(options));
  process.job = rpc::JobKeyOf(placed.secret());
  process.id = placed.process();
  process.place = absl::StrCat(rpc::ThisHost(), ", pid ", ::getpid());
  ClusterMember member{std::move(transport),  table_, groups_, driver_, placed.secret(), options.prefault_bytes,
                       limits_.wires.services};
  member.notifier = options.notifier;
  member.end_group = [stream = stream_, job = placed.job()](rpc::ProcessId, const std::string& group,
                                                            const absl::Status& why) {
    v1::ProgramToDriver end;
    end.mutable_end_group()->set_job(job);
    end.mutable_end_group()->set_group(group);
    end.mutable_end_group()->set_cause(base::CutText(why.message()));
    end.mutable_end_group()->set_cut(absl::IsUnavailable(why));
    stream->Write(std::move(end));
  };
  program_ = StartProcess(std::move(process), std::move(member));
  if (program_ == nullptr) return base::NoThread();
  output_ = std::make_unique<WorkerOutput>(
      placed.job(), std::vector<v1::NodeDescription>(placed.nodes().begin(), placed.nodes().end()), rpc::ThisMachine(),
      token_, limits_.wires.services);
  BeginLosses(raw, peers);
  return absl::OkStatus();
}

void ClusterJob::BeginLosses(rpc::GrpcTransport* transport, const v1::JobPeers& peers) {
  Losses::Job job;
  job.number = placed_.job();
  std::copy_if(peers.processes().begin(), peers.processes().end(), std::back_inserter(job.processes),
               [&](const v1::Process& process) { return process.id() != placed_.process(); });
  job.failures = {program_, &program_->failures()};
  job.lose = [program = program_, transport](rpc::ProcessId process, const absl::Status& why) {
    transport->Lose(process, why);  // which is the program's
  };
  told_->losses.Begin(std::move(job));
}

// ---- while it runs
std::vector<mesh::PlacedGroup> ClusterJob::Placed() const {
  std::vector<mesh::PlacedGroup> groups;
  for (const actor::GroupInfo& group : groups_) {
    groups.push_back(actor::PlacedGroupOf(group, [&](rpc::ProcessId id) {
      const auto process = std::find_if(placed_.processes().begin(), placed_.processes().end(),
                                        [&](const v1::Process& one) { return one.id() == id; });
      const std::string node = process == placed_.processes().end() ? "" : process->place().node();
      return std::make_pair(node, table_->PlaceOf(id));
    }));
  }
  return groups;
}

std::vector<std::string> ClusterJob::CallsUnderWay(size_t most) const {
  std::vector<std::string> some = program_->CallsUnderWay(most);
  if (some.size() >= most) return some;
  for (actor::Account& account : Ask(false)) {
    for (std::string& call : account.calls_under_way) {
      if (some.size() < most) some.push_back(std::move(call));
    }
  }
  return some;
}

// All workers at once. Those that do not answer in time (they may be stopped) are named, and cost that time once.
std::vector<actor::Account> ClusterJob::Ask(bool close) const {
  std::vector<rpc::ProcessId> asked;
  {
    base::MutexLock lock(&mutex_);
    for (rpc::ProcessId worker : workers_) {
      if (silent_.count(worker) == 0) asked.push_back(worker);
    }
  }
  std::vector<actor::Account> accounts = program_->AccountsOf(asked, close, limits_.account);
  std::vector<absl::string_view> silent;
  base::MutexLock lock(&mutex_);
  for (size_t i = 0; i < asked.size(); ++i) {
    if (accounts[i].from != actor::Account::From::kNobody) continue;
    silent_.insert(asked[i]);
    silent.push_back(names_.at(asked[i]));
  }
  LogSilent(silent);
  return accounts;
}

// Worker processes are asked, at growing intervals: calls of theirs are rare at a session's end.
bool ClusterJob::WaitForCalls(base::Instant deadline) const {
  actor::RestDetector rest;
  absl::Duration interval = absl::Milliseconds(1);
  bool was_idle = false;
  while (true) {
    if (!program_->WaitForCalls(deadline)) return false;
    std::vector<actor::Account> accounts = Ask(false);
    accounts.resize(workers_.size());  // a process that has fallen silent makes the passes differ
    accounts.push_back(program_->OwnAccount());
    if (rest.Pass(accounts)) return true;
    const bool idle = std::all_of(accounts.begin(), accounts.end(),
                                  [](const actor::Account& account) { return account.calls_under_way.empty(); });
    if (idle && !std::exchange(was_idle, true)) continue;  // at once: one more pass to be sure
    if (base::Now() >= deadline) return false;
    absl::SleepFor(std::min(interval, deadline - base::Now()));
    interval = std::min(2 * interval, absl::Milliseconds(100));
  }
}

// ---- the end
void ClusterJob::Shutdown(const absl::Status& why) {
  if (std::exchange(shut_down_, true)) return;
  if (program_ != nullptr) EndProgram(why);
  if (output_ != nullptr) output_->AwaitEnd(base::Now() + base::kOutputLimit);
  output_.reset();
  if (stream_ != nullptr) stream_->Cancel();  // without a program: what was begun ends at once
  private_.reset();
  memory::Leases::Sweep();  // of the worker processes, which have ended
}

void ClusterJob::AwaitEnded(base::Instant deadline) {
  absl::Status late;
  {
    base::MutexLock lock(&told_->mutex);
    while (told_->talk.phase() != JobTalk::Phase::kEnded && base::Now() < deadline) {
      told_->changed.WaitWithDeadline(&told_->mutex, deadline);
    }
    if (told_->talk.phase() != JobTalk::Phase::kEnded) late = told_->talk.WhyLate();
  }
  if (!late.ok()) told_->losses.OnJobLost(late);
}

void ClusterJob::EndProgram(const absl::Status& why) {
  for (const actor::Account& account : Ask(true)) {
    if (unread_of_workers_.ok()) unread_of_workers_ = account.unread_failure;
  }
  program_->BeginEnd();
  const auto ranks = static_cast<int64_t>(workers_.size());
  const base::Instant deadline = base::Now() + grace_ + limits_.end_margin + ranks * base::kRankMargin;
  {
    base::MutexLock lock(&told_->mutex);
    told_->talk.OnFinish();
  }
  v1::ProgramToDriver finish;
  finish.mutable_finish()->set_grace_ms(absl::ToInt64Milliseconds(std::max(grace_, absl::Milliseconds(1))));
  stream_->Write(std::move(finish));
  program_->Stop(why);
  AwaitEnded(deadline);
  program_->Join(deadline);
  told_->losses.End();
}

ClusterJob::~ClusterJob() { Shutdown(absl::CancelledError("the session has ended")); }

absl::Status ClusterJob::CloseFailures() {
  const absl::Status own = program_->failures().Close();
  return own.ok() ? unread_of_workers_ : own;
}

}  // namespace twinkle::internal

#include "client/src/cluster_job.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "client/src/job_description.h"
#include "client/src/real_job_world.h"
#include "runtime/actor/groups.h"
#include "runtime/base/cut_text.h"
#include "runtime/base/end_limits.h"
#include "runtime/base/log.h"
#include "runtime/base/names.h"
#include "runtime/base/session_ended.h"
#include "runtime/base/shortage.h"
#include "runtime/base/status.h"
#include "runtime/rpc/wire_place.h"

namespace twinkle::internal {
namespace {

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

ClusterJob::ClusterJob(const ClusterLimits& limits, absl::Duration grace, std::unique_ptr<JobWorld> world)
    : limits_(limits), world_(std::move(world)), grace_(grace) {}

// ---- what the driver says
void ClusterJob::OnMessage(DriverWords& words, v1::DriverToProgram message) {
  JobTalk::News news;
  {
    base::MutexLock lock(&words.mutex);
    news = words.talk.OnMessage(std::move(message));
  }
  Carry(words, std::move(news));
}

void ClusterJob::OnEnd(DriverWords& words, const absl::Status& status) {
  JobTalk::News news;
  {
    base::MutexLock lock(&words.mutex);
    news = words.talk.OnEnd(status);
  }
  Carry(words, std::move(news));
}

// Carries out news. The lock is not held: calls that fail may run what waits for them.
void ClusterJob::Carry(DriverWords& words, JobTalk::News news) {
  if (!news.waits_for.empty()) {
    std::fprintf(stderr, "twinkle: the job waits for room in the cluster: %s\n",
                 base::PrintableLines(news.waits_for, "  ").c_str());
  }
  if (news.lost) words.losses.OnLost(*std::move(news.lost));
  if (!news.job_lost.ok()) words.losses.OnJobLost(news.job_lost);
}

// ---- the beginning
absl::StatusOr<std::unique_ptr<ClusterJob>> ClusterJob::Start(const InitializeOptions& options,
                                                              const ClusterLimits& limits) {
  TWINKLE_RETURN_IF_ERROR(base::CheckProcess());
  return Start(options, limits, NewRealJobWorld(options, limits));
}

absl::StatusOr<std::unique_ptr<ClusterJob>> ClusterJob::Start(const InitializeOptions& options,
                                                              const ClusterLimits& limits,
                                                              std::unique_ptr<JobWorld> world) {
  std::unique_ptr<ClusterJob> job(new ClusterJob(limits, options.abort_grace, std::move(world)));
  v1::ProgramToDriver submit;
  TWINKLE_ASSIGN_OR_RETURN(*submit.mutable_submit(), DescribeJob(options));  // before anything is started
  TWINKLE_RETURN_IF_ERROR(job->Connect());
  job->link_->Write(std::move(submit));
  TWINKLE_RETURN_IF_ERROR(job->AwaitPlaced(options.placement_timeout));
  TWINKLE_RETURN_IF_ERROR(job->Join(options.groups));
  return job;
}

absl::Status ClusterJob::Connect() {
  TWINKLE_ASSIGN_OR_RETURN(std::string driver, world_->FindDriver());
  words_ = std::make_shared<DriverWords>(std::move(driver));
  TWINKLE_ASSIGN_OR_RETURN(
      link_, world_->Connect({[words = words_](v1::DriverToProgram message) { OnMessage(*words, std::move(message)); },
                              [words = words_](const absl::Status& status) { OnEnd(*words, status); }}));
  return absl::OkStatus();
}

absl::Status ClusterJob::Await(JobTalk::Phase wanted, base::Instant deadline) const {
  const bool to_end = wanted == JobTalk::Phase::kEnded;
  while (true) {
    {
      base::MutexLock lock(&words_->mutex);
      const JobTalk::Phase phase = words_->talk.phase();
      if (phase == JobTalk::Phase::kEnded && !to_end) return words_->talk.why_ended();
      if (phase >= wanted) return absl::OkStatus();
      if (world_->Now() >= deadline) return words_->talk.WhyLate();
    }
    world_->AwaitNews(deadline);
    if (!to_end) TWINKLE_RETURN_IF_ERROR(world_->CheckServices());  // to the end only the driver's word counts
  }
}

absl::Status ClusterJob::AwaitPlaced(absl::Duration placement_timeout) {
  TWINKLE_RETURN_IF_ERROR(Await(JobTalk::Phase::kPlaced, world_->Now() + placement_timeout + limits_.placement_margin));
  base::MutexLock lock(&words_->mutex);
  placed_ = words_->talk.placed();
  return absl::OkStatus();
}

absl::StatusOr<v1::JobPeers> ClusterJob::AwaitPeers() const {
  TWINKLE_RETURN_IF_ERROR(Await(JobTalk::Phase::kRunning, world_->Now() + limits_.start));
  base::MutexLock lock(&words_->mutex);
  return words_->talk.peers();
}

absl::Status ClusterJob::Join(const std::vector<DeviceGroup>& groups) {
  v1::ProgramToDriver message;
  TWINKLE_ASSIGN_OR_RETURN(*message.mutable_listens(), world_->Listen(placed_));
  link_->Write(std::move(message));
  TWINKLE_ASSIGN_OR_RETURN(const v1::JobPeers peers, AwaitPeers());
  TWINKLE_ASSIGN_OR_RETURN(groups_, actor::LayOutGroups(groups, placed_.process() + 1));
  TWINKLE_ASSIGN_OR_RETURN(part_, world_->Join(placed_, peers, groups_, GroupEnder()));
  Remember(peers);
  BeginLosses(peers);
  return absl::OkStatus();
}

EndGroup ClusterJob::GroupEnder() const {
  return [link = link_, job = placed_.job()](rpc::ProcessId, const std::string& group, const absl::Status& why) {
    v1::ProgramToDriver end;
    end.mutable_end_group()->set_job(job);
    end.mutable_end_group()->set_group(group);
    end.mutable_end_group()->set_cause(base::CutText(why.message()));
    end.mutable_end_group()->set_cut(absl::IsUnavailable(why));
    link->Write(std::move(end));
  };
}

void ClusterJob::Remember(const v1::JobPeers& peers) {
  for (const v1::Process& peer : peers.processes()) {
    if (peer.id() == placed_.process()) continue;
    Rank& rank = ranks_[peer.id()];
    rank.place = rpc::PlaceText(peer.place());
    rank.name = absl::StrCat("rank ", peer.rank(), " of group '", peer.group(), "' (", rank.place, ")");
  }
  for (const v1::Process& process : placed_.processes()) {
    if (const auto rank = ranks_.find(process.id()); rank != ranks_.end()) rank->second.node = process.place().node();
  }
}

void ClusterJob::BeginLosses(const v1::JobPeers& peers) {
  Losses::Job job;
  job.number = placed_.job();
  std::copy_if(peers.processes().begin(), peers.processes().end(), std::back_inserter(job.processes),
               [&](const v1::Process& process) { return process.id() != placed_.process(); });
  job.failures = {part_.process, &part_.process->failures()};
  job.lose = part_.lose;
  words_->losses.Begin(std::move(job));
}

// ---- while it runs
std::vector<mesh::PlacedGroup> ClusterJob::Placed() const {
  std::vector<mesh::PlacedGroup> groups;
  for (const actor::GroupInfo& group : groups_) {
    groups.push_back(actor::PlacedGroupOf(group, [&](rpc::ProcessId id) {
      const auto found = ranks_.find(id);
      return found == ranks_.end() ? std::make_pair(std::string(), std::string("an unknown host"))
                                   : std::make_pair(found->second.node, found->second.place);
    }));
  }
  return groups;
}

std::vector<std::string> ClusterJob::CallsUnderWay(size_t most) const {
  std::vector<std::string> some = part_.process->CallsUnderWay(most);
  if (some.size() >= most) return some;
  for (actor::Account& account : Accounts()) {
    for (std::string& call : account.calls_under_way) {
      if (some.size() < most) some.push_back(std::move(call));
    }
  }
  return some;
}

// Asks all workers at once. Workers that do not answer in time (they may be stopped) are named, and cost that time
// once.
std::vector<actor::Account> ClusterJob::Ask(bool close) const {
  std::vector<rpc::ProcessId> asked;
  {
    base::MutexLock lock(&mutex_);
    for (const auto& [id, rank] : ranks_) {
      if (silent_.count(id) == 0) asked.push_back(id);
    }
  }
  std::vector<actor::Account> accounts = part_.ask(asked, close);
  std::vector<absl::string_view> silent;
  base::MutexLock lock(&mutex_);
  for (size_t i = 0; i < asked.size(); ++i) {
    if (accounts[i].from != actor::Account::From::kNobody) continue;
    silent_.insert(asked[i]);
    silent.push_back(ranks_.at(asked[i]).name);
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
    if (!part_.process->WaitForCalls(deadline)) return false;
    std::vector<actor::Account> accounts = Accounts();
    accounts.resize(ranks_.size());  // a process that has fallen silent makes the passes differ
    accounts.push_back(part_.process->accounts().Own());
    if (rest.Pass(accounts)) return true;
    const bool idle = std::all_of(accounts.begin(), accounts.end(),
                                  [](const actor::Account& account) { return account.calls_under_way.empty(); });
    if (idle && !std::exchange(was_idle, true)) continue;  // at once: one more pass to be sure
    if (world_->Now() >= deadline) return false;
    world_->AwaitNews(std::min(deadline, world_->Now() + interval));
    interval = std::min(2 * interval, absl::Milliseconds(100));
  }
}

// ---- the end
void ClusterJob::Shutdown(const absl::Status& why) {
  if (std::exchange(shut_down_, true)) return;
  if (part_.process != nullptr) EndProgram(why);
  world_->AwaitOutput(world_->Now() + base::kOutputLimit);
  if (link_ != nullptr) link_->Cancel();  // without a program: what was begun ends at once
  world_->End();
}

void ClusterJob::EndProgram(const absl::Status& why) {
  for (const actor::Account& account : CloseAccounts()) {
    if (unread_of_workers_.ok()) unread_of_workers_ = account.unread_failure;
  }
  part_.process->BeginEnd();
  const auto ranks = static_cast<int64_t>(ranks_.size());
  const base::Instant deadline = world_->Now() + grace_ + limits_.end_margin + ranks * base::kRankMargin;
  {
    base::MutexLock lock(&words_->mutex);
    words_->talk.OnFinish();
  }
  v1::ProgramToDriver finish;
  finish.mutable_finish()->set_grace_ms(absl::ToInt64Milliseconds(std::max(grace_, absl::Milliseconds(1))));
  link_->Write(std::move(finish));
  part_.process->Stop(why);
  if (const absl::Status late = Await(JobTalk::Phase::kEnded, deadline); !late.ok()) words_->losses.OnJobLost(late);
  part_.process->Join(deadline);
  words_->losses.End();
}

ClusterJob::~ClusterJob() { Shutdown(base::SessionEnded()); }

absl::Status ClusterJob::CloseFailures() {
  const absl::Status own = part_.process->failures().Close();
  return own.ok() ? unread_of_workers_ : own;
}

}  // namespace twinkle::internal

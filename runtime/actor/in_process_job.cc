#include "runtime/actor/in_process_job.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "runtime/actor/groups.h"
#include "runtime/actor/in_process_directory.h"
#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/session_ended.h"
#include "runtime/base/status.h"
#include "runtime/base/threads.h"
#include "runtime/rpc/secret.h"

namespace twinkle::actor {
namespace {

using Processes = std::vector<std::shared_ptr<Process>>;

constexpr size_t kForOneThread = 32;  // processes
constexpr size_t kMostThreads = 16;

// A notifier that gets one message at a time. The processes have a notifying thread each.
object::FailureLog::Notifier OneAtATime(object::FailureLog::Notifier notifier) {
  if (!notifier) return notifier;
  return [notifier = std::move(notifier), mutex = std::make_shared<std::mutex>()](const std::string& message) {
    const std::lock_guard lock(*mutex);
    notifier(message);
  };
}

// Does something to each process; to many of them in several threads. A process ends with its own threads, one after
// the other, and each of these must get a processor first: where the machine is busy that is nearly all of the time.
void ToEach(const Processes& processes, const std::function<void(Process&)>& what) {
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < processes.size(); i = next++) what(*processes[i]);
  };
  const size_t wanted = std::min(processes.size() / kForOneThread, kMostThreads);
  std::vector<std::thread> helpers;
  while (helpers.size() < wanted) {
    absl::StatusOr<std::thread> helper = base::StartThread("twinkle.end", work);
    if (!helper.ok()) break;  // it takes longer without
    helpers.push_back(*std::move(helper));
  }
  work();
  for (std::thread& helper : helpers) helper.join();
}

}  // namespace

struct InProcessJob::World {
  std::shared_ptr<base::Executor> executor;
  rpc::InMemoryNetwork network;
  std::shared_ptr<InProcessDirectory> directory;
  std::shared_ptr<InProcessPlacement> placement;
};

std::shared_ptr<Process> InProcessJob::Join(const std::shared_ptr<World>& world, ProcessOptions options,
                                            object::FailureLog::Notifier notifier) {
  Surroundings surroundings;
  surroundings.executor = world->executor;
  surroundings.directory = world->directory;
  surroundings.notifier = std::move(notifier);
  surroundings.placement = world->placement;
  surroundings.kept = {world};
  surroundings.transport = world->network.Join(options.id);
  return Process::Start(std::move(options), std::move(surroundings));
}

absl::StatusOr<std::unique_ptr<InProcessJob>> InProcessJob::Start(InProcessOptions options) {
  TWINKLE_ASSIGN_OR_RETURN(std::vector<GroupInfo> groups, LayOutGroups(options.groups, rpc::kProgram + 1));
  std::unique_ptr<InProcessJob> job(new InProcessJob);
  job->world_ = std::make_shared<World>();
  job->world_->executor = options.executor != nullptr ? options.executor : std::shared_ptr(base::NewThreadExecutor());
  job->world_->placement = std::make_shared<InProcessPlacement>(options.process.place, std::move(options.machine_of));
  job->world_->directory = std::make_shared<InProcessDirectory>(std::move(groups));
  options.process.job = rpc::JobKeyOf(rpc::NewSecret());
  options.notifier = OneAtATime(std::move(options.notifier));
  for (const GroupInfo& group : job->world_->directory->groups()) {
    if (!options.start_workers) break;
    for (size_t rank = 0; rank < group.workers.size(); ++rank) {
      ProcessOptions worker = options.process;
      worker.id = group.workers[rank];
      worker.group = group.name;
      worker.rank = static_cast<int>(rank);
      worker.world_size = static_cast<int>(group.workers.size());
      worker.group_workers = group.workers;
      if (!group.is_cpu()) worker.devices = group.devices[rank];
      std::shared_ptr<Process> process = Join(job->world_, std::move(worker), options.notifier);
      if (process == nullptr) return base::NoThread();
      job->workers_.push_back(std::move(process));
    }
  }
  options.process.id = rpc::kProgram;
  job->program_ = Join(job->world_, std::move(options.process), std::move(options.notifier));
  if (job->program_ == nullptr) return base::NoThread();
  return job;
}

InProcessJob::~InProcessJob() { Shutdown(base::SessionEnded()); }

std::vector<mesh::PlacedGroup> InProcessJob::Placed() const {
  std::vector<mesh::PlacedGroup> placed;
  for (const GroupInfo& group : world_->directory->groups()) {
    placed.push_back(PlacedGroupOf(
        group, [&](rpc::ProcessId) { return std::make_pair(std::string("this process"), program_->options().place); }));
  }
  return placed;
}

rpc::InMemoryNetwork& InProcessJob::network() const { return world_->network; }

bool InProcessJob::WaitForCalls(base::Instant deadline) const {
  std::vector<std::shared_ptr<Process>> all = workers_;
  all.insert(all.begin(), program_);
  RestDetector rest;
  std::vector<Account> accounts;
  do {  // calls make calls
    std::vector<std::shared_ptr<base::Event>> kept;
    for (const auto& process : all) {
      if (!process->WaitAllSettled(deadline)) return false;
      kept.push_back(process->WhenKept());
    }
    accounts.clear();
    for (size_t i = 0; i < all.size(); ++i) {
      if (kept[i] != nullptr && !kept[i]->WaitUntil(deadline)) return false;
      accounts.push_back(all[i]->accounts().Own());
    }
  } while (!rest.Pass(accounts));
  return true;
}

std::vector<std::string> InProcessJob::CallsUnderWay(size_t most) const {
  std::vector<std::string> some = program_->CallsUnderWay(most);
  for (const auto& worker : workers_) {
    for (std::string& call : worker->CallsUnderWay(most - some.size())) some.push_back(std::move(call));
  }
  return some;
}

absl::Status InProcessJob::CloseFailures() {
  absl::Status first = program_->failures().Close();
  for (const auto& worker : workers_) {
    const absl::Status status = worker->failures().Close();
    if (first.ok()) first = status;
  }
  return first;
}

void InProcessJob::Shutdown(const absl::Status& why) {
  Processes all = workers_;
  if (program_ != nullptr) all.push_back(program_);  // else it could not be started
  if (all.empty()) return;
  const base::Instant deadline = base::Now() + all.front()->options().abort_grace;
  for (const auto& process : all) process->BeginEnd();
  world_->network.End();
  // The program stops first: its calls end as those of a session that has ended, whatever the ranks still say.
  if (program_ != nullptr) program_->Stop(why);
  ToEach(workers_, [&](Process& process) { process.Stop(why); });
  if (program_ != nullptr) program_->Join(deadline);
  ToEach(workers_, [&](Process& process) { process.Join(deadline); });
}

}  // namespace twinkle::actor

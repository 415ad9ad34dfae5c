#include "tests/support/stepped_job.h"

#include <absl/strings/str_cat.h>

#include <stdexcept>

#include "runtime/base/clock.h"

namespace twinkle::tests {
namespace {

std::unique_ptr<actor::InProcessJob> Started(actor::InProcessOptions options) {
  options.process.place = "here";
  auto job = actor::InProcessJob::Start(std::move(options));
  if (!job.ok()) throw std::runtime_error(job.status().ToString());
  return *std::move(job);
}

InitializeOptions OptionsOf(const actor::InProcessOptions& options) {
  InitializeOptions session;
  session.mode = Mode::kInProcess;
  session.groups = options.groups;
  return session;
}

// Steps by hand; at the end a task is run when it is posted, after those that waited.
class EndingExecutor final : public base::Executor {
 public:
  EndingExecutor(std::shared_ptr<base::SteppedExecutor> stepped, std::shared_ptr<const bool> ending)
      : stepped_(std::move(stepped)), ending_(std::move(ending)) {}

  std::unique_ptr<base::TaskQueue> NewQueue(std::string name) override {
    return std::make_unique<Queue>(*this, stepped_->NewQueue(name), name);
  }
  base::Instant Now() const override { return stepped_->Now(); }

 private:
  class Queue final : public base::TaskQueue {
   public:
    Queue(const EndingExecutor& executor, std::unique_ptr<base::TaskQueue> queue, std::string name)
        : stepped_(executor.stepped_), ending_(executor.ending_), queue_(std::move(queue)), name_(std::move(name)) {}

    bool Post(base::Task task) override {
      const bool taken = queue_->Post(std::move(task));
      if (*ending_ && taken && !queue_->InQueue()) stepped_->Drain(name_);
      return taken;
    }
    void PostAfter(absl::Duration delay, base::Task task) override { queue_->PostAfter(delay, std::move(task)); }
    bool InQueue() const override { return queue_->InQueue(); }
    void Close() override { queue_->Close(); }
    void Abandon() override { queue_->Abandon(); }

   private:
    const std::shared_ptr<base::SteppedExecutor> stepped_;
    const std::shared_ptr<const bool> ending_;
    const std::unique_ptr<base::TaskQueue> queue_;
    const std::string name_;
  };

  const std::shared_ptr<base::SteppedExecutor> stepped_;
  const std::shared_ptr<const bool> ending_;
};

actor::InProcessOptions SteppedOptions(std::vector<DeviceGroup> groups, absl::Duration abort_grace,
                                       std::shared_ptr<base::Executor> executor) {
  actor::InProcessOptions options;
  options.groups = std::move(groups);
  options.process.abort_grace = abort_grace;
  options.executor = std::move(executor);
  return options;
}

std::vector<std::string> NamesOf(const std::vector<DeviceGroup>& groups) {
  std::vector<std::string> names;
  for (const DeviceGroup& group : groups) names.push_back(group.name);
  return names;
}

}  // namespace

InstalledJob::InstalledJob(actor::InProcessOptions options) {
  InitializeOptions session = OptionsOf(options);
  state_ = std::make_shared<internal::SessionState>(std::move(session), Started(std::move(options)));
  if (!internal::SessionState::Install(state_)) throw std::runtime_error("there is a session already");
}

InstalledJob::~InstalledJob() {
  Shutdown();
  internal::SessionState::Remove(state_.get());
}

rpc::ProcessId InstalledJob::Id(const std::string& group, int rank) const {
  return job().directory().FindGroup(group)->workers.at(static_cast<size_t>(rank));
}

void InstalledJob::Shutdown() {
  // The session has it constant; its end is the test's to make.
  const_cast<actor::InProcessJob&>(job()).Shutdown(absl::CancelledError("the session has ended"));
}

SteppedJob::SteppedJob(std::vector<DeviceGroup> groups, absl::Duration abort_grace)
    : executor_(std::make_shared<base::SteppedExecutor>()),
      ending_(std::make_shared<bool>(false)),
      installed_(SteppedOptions(groups, abort_grace, std::make_shared<EndingExecutor>(executor_, ending_))),
      groups_(NamesOf(groups)) {}

std::vector<std::shared_ptr<actor::Process>> SteppedJob::Processes() const {
  const actor::InProcessJob& job = installed_.job();
  std::vector<std::shared_ptr<actor::Process>> processes = {job.program()};
  for (const std::string& group : groups_) {
    const actor::GroupInfo info = job.directory().FindGroup(group).value();
    for (rpc::ProcessId worker : info.workers) processes.push_back(job.process(worker));
  }
  return processes;
}

// As the job itself does it; but first of all every service queue is closed, so that what runs then at once is what the
// job would have waited for.
void SteppedJob::Shutdown() {
  for (const auto& process : Processes()) process->Stop(absl::CancelledError("the session has ended"));
  *ending_ = true;
  for (const auto& process : Processes()) process->Join(base::kForever);
}

void SteppedJob::Kill(const std::string& group, int rank) {
  network().Kill(Id(group, rank), absl::UnavailableError(absl::StrCat(group, ".", rank, " was killed")));
}

std::vector<std::string> LanesOf(absl::string_view group, int ranks) {
  std::vector<std::string> lanes;
  for (int rank = 0; rank < ranks; ++rank) lanes.push_back(LaneOf(group, rank));
  return lanes;
}

}  // namespace twinkle::tests

#include "tests/support/stepped_job.h"

#include <absl/strings/str_cat.h>

#include <cstdlib>
#include <stdexcept>

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

actor::InProcessOptions SteppedOptions(std::vector<DeviceGroup> groups, absl::Duration grace,
                                       std::shared_ptr<base::Executor> executor) {
  // That stepped lanes are left to themselves at the end is no news.
  setenv("TWINKLE_LOG", "error", /*overwrite=*/0);
  actor::InProcessOptions options;
  options.groups = std::move(groups);
  options.process.abort_grace = grace;
  options.executor = std::move(executor);
  return options;
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

SteppedJob::SteppedJob(std::vector<DeviceGroup> groups, absl::Duration grace)
    : executor_(std::make_shared<base::SteppedExecutor>()),
      installed_(SteppedOptions(std::move(groups), grace, executor_)) {}

void SteppedJob::Kill(const std::string& group, int rank) {
  network().Kill(Id(group, rank), absl::UnavailableError(absl::StrCat(group, ".", rank, " was killed")));
}

std::vector<std::string> LanesOf(absl::string_view group, int ranks) {
  std::vector<std::string> lanes;
  for (int rank = 0; rank < ranks; ++rank) lanes.push_back(LaneOf(group, rank));
  return lanes;
}

}  // namespace twinkle::tests

#include "client/src/losses.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <string>
#include <utility>

#include "runtime/base/log.h"
#include "runtime/rpc/wire_place.h"

namespace twinkle::internal {
namespace {

// The cause of a loss. What is true of all is said once.
const std::string& CauseOf(const v1::PeersLost& lost, const v1::PeersLost::Loss& loss) {
  return loss.cause().empty() ? lost.cause() : loss.cause();
}

// Whether another job has ended with its program's session: its processes are gone, and nothing has failed.
bool EndedAsWished(const Losses::Job& job, const v1::PeersLost& lost) {
  return lost.at_end() && lost.job() != job.number;
}

// The text of the first loss, which is the cause of the others.
std::string TextOf(const Losses::Job& job, const v1::PeersLost& lost) {
  if (lost.losses().empty()) return "processes are gone";
  if (EndedAsWished(job, lost)) return absl::StrCat("job ", lost.job(), " has ended");
  const v1::PeersLost::Loss& first = lost.losses(0);
  if (absl::StartsWith(CauseOf(lost, first), "group '")) return CauseOf(lost, first);  // of no one rank
  for (const v1::Process& process : job.processes) {
    if (process.id() != first.process()) continue;
    return absl::StrCat(
        "rank ", process.rank(), " of group '", process.group(), "' (", rpc::PlaceText(process.place()), ") ",
        lost.at_end() ? "failed at its end: " : "is gone, and its group with it: ", CauseOf(lost, first));
  }
  return absl::StrCat("a process of job ", lost.job(), " is gone: ", CauseOf(lost, first));
}

}  // namespace

base::LogLevel Losses::LevelOf(const Job& job, const v1::PeersLost& lost) {
  return EndedAsWished(job, lost) ? base::LogLevel::kInfo : base::LogLevel::kWarning;
}

void Losses::Carry(const Job& job, const v1::PeersLost& lost) {
  const std::string text = TextOf(job, lost);
  base::Log(LevelOf(job, lost), text);
  if (lost.job() == job.number && !lost.asked_for()) {
    std::vector<rpc::ProcessId> processes;
    for (const v1::PeersLost::Loss& loss : lost.losses()) processes.push_back(loss.process());
    job.failures->AddLoss(processes, absl::AbortedError(text));
  }
  for (const v1::PeersLost::Loss& loss : lost.losses()) {
    job.lose(loss.process(), absl::UnavailableError(CauseOf(lost, loss)));
  }
}

void Losses::CarryAll(const Job& job, const absl::Status& why) {
  base::Log(base::LogLevel::kError, why.message());
  std::vector<rpc::ProcessId> processes;
  for (const v1::Process& process : job.processes) processes.push_back(process.id());
  job.failures->AddLoss(processes, why);
  for (rpc::ProcessId process : processes) job.lose(process, why);
}

// The job is told without the lock: calls that fail may run what waits for them.
void Losses::OnLost(v1::PeersLost lost) {
  std::shared_ptr<const Job> job;
  {
    base::MutexLock lock(&mutex_);
    job = job_;
    if (job == nullptr) return earlier_.push_back(std::move(lost));
  }
  Carry(*job, lost);
}

void Losses::OnJobLost(const absl::Status& why) {
  std::shared_ptr<const Job> job;
  {
    base::MutexLock lock(&mutex_);
    if (job_lost_) return;
    job_lost_ = why;
    job = job_;
  }
  if (job != nullptr) CarryAll(*job, why);
}

void Losses::Begin(Job begun) {
  const auto job = std::make_shared<const Job>(std::move(begun));
  std::vector<v1::PeersLost> earlier;
  std::optional<absl::Status> job_lost;
  {
    base::MutexLock lock(&mutex_);
    job_ = job;
    earlier.swap(earlier_);
    job_lost = job_lost_;
  }
  for (const v1::PeersLost& lost : earlier) Carry(*job, lost);
  if (job_lost) CarryAll(*job, *job_lost);
}

void Losses::End() {
  base::MutexLock lock(&mutex_);
  job_lost_ = absl::OkStatus();
  job_ = nullptr;
}

}  // namespace twinkle::internal

#include "client/src/job_talk.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace twinkle::internal {
namespace {

const char* NameOf(JobTalk::Phase phase) {
  switch (phase) {
    case JobTalk::Phase::kSubmitted:
      return "submitted";
    case JobTalk::Phase::kPlaced:
      return "placed";
    case JobTalk::Phase::kRunning:
      return "running";
    case JobTalk::Phase::kEnding:
      return "ending";
    case JobTalk::Phase::kEnded:
      return "ended";
  }
  return "?";
}

}  // namespace

bool JobTalk::To(Phase next) {
  const bool follows = static_cast<int>(next) == static_cast<int>(phase_) + 1;
  if (!follows && (next != Phase::kEnded || phase_ == Phase::kEnded)) return false;
  base::Log(base::LogLevel::kDebug,
            absl::StrCat("the job at the driver ", driver_, ": ", NameOf(phase_), " -> ", NameOf(next)));
  phase_ = next;
  return true;
}

JobTalk::News JobTalk::OnMessage(v1::DriverToProgram message) {
  if (message.has_lost()) return {.lost = std::move(*message.mutable_lost())};
  if (message.has_waits() && phase_ == Phase::kSubmitted) return {.waits_for = message.waits().reason()};
  if (message.has_placed() && To(Phase::kPlaced)) placed_ = std::move(*message.mutable_placed());
  if (message.has_peers() && To(Phase::kRunning)) peers_ = std::move(*message.mutable_peers());
  if (!message.has_ended()) return {};
  const absl::Status why(static_cast<absl::StatusCode>(message.ended().code()), message.ended().message());
  if (phase_ == Phase::kSubmitted) return End(why, why);  // it has no number yet
  return End(why, base::Annotate(why, absl::StrCat("job ", placed_.job(), " was ended")));
}

JobTalk::News JobTalk::OnEnd(const absl::Status& status) {
  const bool refused =
      absl::IsUnauthenticated(status) || absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status);
  if (refused) return End(status, status);
  const absl::string_view how = status.ok() ? "it has ended the connection" : status.message();
  const absl::Status gone = absl::UnavailableError(absl::StrCat("the driver ", driver_, " is gone: ", how));
  return End(gone, gone);
}

JobTalk::News JobTalk::End(const absl::Status& why, const absl::Status& job_lost) {
  if (!To(Phase::kEnded)) return {};
  ended_ = why;
  return {.job_lost = job_lost};
}

absl::Status JobTalk::why_ended() const { return ended_.ok() ? absl::AbortedError("the job was ended") : ended_; }

absl::Status JobTalk::WhyLate() const {
  if (phase_ == Phase::kEnding) {
    return absl::UnavailableError(
        absl::StrCat("the driver ", driver_, " has not said that the job has ended: its ranks may still run"));
  }
  const absl::string_view what =
      phase_ == Phase::kSubmitted ? "where the job was placed" : "that the job's processes have started";
  return absl::DeadlineExceededError(
      absl::StrCat("the driver ", driver_, " has not said ", what, " in time: does it still work?"));
}

}  // namespace twinkle::internal

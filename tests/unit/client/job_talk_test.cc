// What the driver says of a job, in each of its phases. Numbers are those of the invariants in job_talk.h.
#include "client/src/job_talk.h"

#include <functional>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/driver_words.h"

namespace twinkle::internal {
namespace {

using Phase = JobTalk::Phase;

constexpr Phase kPhases[] = {Phase::kSubmitted, Phase::kPlaced, Phase::kRunning, Phase::kEnding, Phase::kEnded};

v1::DriverToProgram SaysWaits() {
  v1::DriverToProgram message;
  message.mutable_waits()->set_reason("2 cuda devices are taken");
  return message;
}
v1::DriverToProgram EndedSo(const absl::Status& why) { return Ended(why.code(), std::string(why.message())); }

const absl::Status kStopped = absl::CancelledError("it was stopped by a command");

// One that has come so far, as it does when all goes well.
JobTalk TalkIn(Phase phase) {
  JobTalk talk("at gpu-1:7077");
  if (phase >= Phase::kPlaced) talk.OnMessage(Placed());
  if (phase >= Phase::kRunning) talk.OnMessage(Peers({"a", "b"}));
  if (phase >= Phase::kEnding) talk.OnFinish();
  if (phase >= Phase::kEnded) talk.OnMessage(Ended());
  return talk;
}

TEST_CASE("JT1, JT2: each word leads a job out of one phase, and changes nothing in any other") {
  struct Word {
    std::function<void(JobTalk&)> say;
    Phase from, to;
  };
  const std::vector<Word> words = {
      {[](JobTalk& talk) { talk.OnMessage(Placed(8)); }, Phase::kSubmitted, Phase::kPlaced},
      {[](JobTalk& talk) {
         talk.OnMessage(Peers({"a", "b", "c"}));
       },
       Phase::kPlaced, Phase::kRunning},
      {[](JobTalk& talk) { talk.OnFinish(); }, Phase::kRunning, Phase::kEnding},
  };
  for (const Word& word : words) {
    for (const Phase phase : kPhases) {
      JobTalk talk = TalkIn(phase);
      word.say(talk);
      CHECK(talk.phase() == (phase == word.from ? word.to : phase));
      if (phase >= Phase::kPlaced) CHECK(talk.placed().job() == kJob);
      if (phase >= Phase::kRunning) CHECK(talk.peers().processes_size() == 2);
    }
  }
}

TEST_CASE("JT1: a job may end in each phase, and has ended once") {
  for (const Phase phase : kPhases) {
    if (phase == Phase::kEnded) continue;
    JobTalk talk = TalkIn(phase);
    talk.OnMessage(EndedSo(kStopped));
    CHECK(talk.phase() == Phase::kEnded);
    CHECK(talk.why_ended() == kStopped);
    CHECK(talk.OnMessage(EndedSo(absl::AbortedError("again"))).job_lost.ok());
    CHECK(talk.OnEnd(absl::UnavailableError("Socket closed")).job_lost.ok());
    CHECK(talk.why_ended() == kStopped);
  }
}

TEST_CASE("JT3: what the driver ends is lost, by its number when it has one") {
  CHECK(TalkIn(Phase::kSubmitted).OnMessage(EndedSo(kStopped)).job_lost == kStopped);
  for (const Phase phase : {Phase::kPlaced, Phase::kRunning, Phase::kEnding}) {
    CHECK(TalkIn(phase).OnMessage(EndedSo(kStopped)).job_lost ==
          absl::CancelledError("job 7 was ended: it was stopped by a command"));
  }
}

TEST_CASE("JT3: a job that ends as its program wished is not lost, and one that ends too early has not begun") {
  JobTalk ending = TalkIn(Phase::kEnding);
  CHECK(ending.OnMessage(Ended()).job_lost.ok());
  CHECK(ending.OnEnd(absl::OkStatus()).job_lost.ok());
  JobTalk starting = TalkIn(Phase::kPlaced);
  CHECK(starting.OnMessage(Ended()).job_lost.ok());
  CHECK(starting.why_ended() == absl::AbortedError("the job was ended"));
}

TEST_CASE("JT3: without the driver's connection the job is lost in each phase, in words that are no transport's") {
  for (const Phase phase : kPhases) {
    JobTalk talk = TalkIn(phase);
    const JobTalk::News news = talk.OnEnd(absl::UnavailableError("the other side closed the connection"));
    CHECK(talk.phase() == Phase::kEnded);
    if (phase == Phase::kEnded) continue;
    CHECK(news.job_lost ==
          absl::UnavailableError("the driver at gpu-1:7077 is gone: the other side closed the connection"));
    CHECK(talk.why_ended() == news.job_lost);
  }
  CHECK(TalkIn(Phase::kRunning).OnEnd(absl::OkStatus()).job_lost ==
        absl::UnavailableError("the driver at gpu-1:7077 is gone: it has ended the connection"));
}

TEST_CASE("a driver that refuses the program is told of in its own words") {
  for (const absl::Status& refused :
       {absl::UnauthenticatedError("wrong token"), absl::InvalidArgumentError("no groups")}) {
    JobTalk talk = TalkIn(Phase::kSubmitted);
    talk.OnEnd(refused);
    CHECK(talk.why_ended() == refused);
  }
}

TEST_CASE("why a job waits is news as long as it does; losses are news at any time") {
  for (const Phase phase : kPhases) {
    JobTalk talk = TalkIn(phase);
    const bool waits = !talk.OnMessage(SaysWaits()).waits_for.empty();
    CHECK(waits == (phase == Phase::kSubmitted));
    CHECK(talk.OnMessage(RankLost(1, "it is gone")).lost.has_value());
    CHECK(talk.phase() == phase);
  }
}

TEST_CASE("what a driver that says nothing more has left unsaid depends on the phase") {
  CHECK(TalkIn(Phase::kSubmitted).WhyLate() ==
        absl::DeadlineExceededError("the driver at gpu-1:7077 has not said where the job was placed in time: does it "
                                    "still work?"));
  CHECK(TalkIn(Phase::kPlaced).WhyLate() ==
        absl::DeadlineExceededError("the driver at gpu-1:7077 has not said that the job's processes have started in "
                                    "time: does it still work?"));
  CHECK(TalkIn(Phase::kEnding).WhyLate() ==
        absl::UnavailableError("the driver at gpu-1:7077 has not said that the job has ended: its ranks may still "
                               "run"));
}

}  // namespace
}  // namespace twinkle::internal

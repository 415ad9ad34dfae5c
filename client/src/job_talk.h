// The talk of a program with the driver about its job: what the driver has said, and what follows.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <optional>
#include <string>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::internal {

// A deterministic state machine without connection or clock. For one thread at a time. Invariants:
//  JT1 phases come in their order, and none twice; kEnded may follow each, and is final;
//  JT2 what the driver says out of its turn changes nothing;
//  JT3 that the job is lost is news once, and only when it has not ended as the program wished.
class JobTalk {
 public:
  enum class Phase : uint8_t {
    kSubmitted,  // it is to be placed, or waits for room
    kPlaced,     // its worker processes are being started
    kRunning,    // all of them listen
    kEnding,     // the program finishes
    kEnded,      // the driver has said so, or says nothing more
  };

  // `driver`: which one it is, for people: "at gpu-1:7077".
  explicit JobTalk(std::string driver) : driver_(std::move(driver)) {}

  // News: what is to be done about something that was said.
  struct News {
    std::string waits_for = {};              // to be shown: why the job waits for room
    std::optional<v1::PeersLost> lost = {};  // processes, of this job or of another that it knows
    absl::Status job_lost = {};              // not OK: all of this job, with the reason
  };
  News OnMessage(v1::DriverToProgram message);
  // The connection to the driver has ended. OK: the driver has ended it without a word.
  News OnEnd(const absl::Status& status);
  // The program tells the driver that it finishes.
  void OnFinish() { To(Phase::kEnding); }

  Phase phase() const { return phase_; }
  // The places of the job. REQUIRES: kPlaced was reached.
  const v1::JobPlaced& placed() const { return placed_; }
  // The processes of the job. REQUIRES: kRunning was reached.
  const v1::JobPeers& peers() const { return peers_; }
  // Why nothing more comes. Never OK: Aborted for a job that has ended as it was to. REQUIRES: kEnded.
  absl::Status why_ended() const;
  // The error when the driver has not led the job out of its phase in time: DeadlineExceeded while it starts;
  // Unavailable at its end. REQUIRES: kSubmitted, kPlaced or kEnding.
  absl::Status WhyLate() const;

 private:
  // The only place where the phase changes. False: the next one does not follow on this one, which stays.
  bool To(Phase next);
  News End(const absl::Status& why, const absl::Status& job_lost);

  const std::string driver_;
  Phase phase_ = Phase::kSubmitted;
  v1::JobPlaced placed_;
  v1::JobPeers peers_;
  absl::Status ended_;
};

}  // namespace twinkle::internal

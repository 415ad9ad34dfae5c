// Meeting: the ranks of a communicator during one call, as one of them takes part.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/cancellation.h"
#include "runtime/base/event.h"
#include "runtime/base/mutex.h"
#include "runtime/collective/group_task.h"
#include "runtime/collective/pair_task.h"

namespace twinkle::collective {

// The call that runs here.
struct RunningMethod {
  uint64_t epoch = 0;  // 0: it was not made on all ranks
  rpc::ProcessId caller = 0;
  uint64_t call = 0;
  std::shared_ptr<base::Cancellation> cancellation = {};  // may be null
};

// How a meeting reaches the others. Thread-safe; nothing blocks.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual void Send(rpc::ProcessId to, Packet packet) = 0;
  // "host, pid 123"
  virtual std::string PlaceOf(rpc::ProcessId process) const = 0;
};

// Thread-safe: one thread at a time issues and waits (the worker), others bring what arrives. Invariants:
//  MT1 what has arrived is only kept; the worker does the work;
//  MT2 once it has failed it stays so, with the first reason, and every operation ends with that. Who fails it for a
//      reason of its own tells the others;
//  MT3 operations of all ranks go on in the order issued, one after the other; those of pairs beside them;
//  MT4 whoever asks whether something is still to come is answered at the latest when the method ends here.
class Meeting {
 public:
  struct Options {
    GroupTask::Options group;
    absl::Duration ask_after = absl::Milliseconds(2);
  };
  // `wire` outlives it.
  Meeting(MeetingKey key, RunningMethod method, Members members, Wire* wire, const Options& options);

  // ---- the worker
  // FailedPrecondition: another thread is at it. Else what it has failed with, if it has.
  absl::StatusOr<std::shared_ptr<Task>> Issue(Record record, Tensor input);
  // Blocks until the operation is done. Errors as Issue; Aborted: the call was cancelled.
  absl::Status Wait(const std::shared_ptr<Task>& task);
  // What Wait does between two sleeps; OK: the operation is done, or not yet.
  absl::Status Advance();
  // What Wait does when it has slept for a while: asks those for whom that operation waits.
  void Ask(const std::shared_ptr<Task>& task);
  // What Wait does before it sleeps: fails the meeting if that operation waits for what never comes.
  absl::Status Look(const std::shared_ptr<Task>& task);

  // ---- what arrives
  void OnPacket(int from, Packet packet);
  void OnLost(rpc::ProcessId process, const absl::Status& why);
  // The method has ended, with that. The worker must not be at it, or leaves it now.
  void OnOver(const absl::Status& outcome);

  bool has(rpc::ProcessId process) const;
  int RankOf(rpc::ProcessId process) const;  // -1: none
  const MeetingKey& key() const { return key_; }
  // "rank 2 (host, pid 123)"
  std::string NameOf(int rank) const;

 private:
  struct Arrived {
    int from = 0;
    Packet packet;
  };
  class Inside;

  absl::Status failure() const;
  // `tell`: the others do not know.
  void Fail(const absl::Status& why, bool tell);
  void Send(int rank, Packet packet) const;
  void AnswerQuestions(const absl::Status& outcome);
  Packet LeftPacket(const absl::Status& outcome) const;

  // The worker's.
  absl::Status AdvanceInside();
  void TakeMail();
  void Sort(Arrived arrived);
  bool AdvanceTasks();
  // Whether what the first unfinished operation waits for never comes; fails then.
  void LookForEnd(const std::shared_ptr<Task>& waited);
  std::shared_ptr<Task> Blocking(const std::shared_ptr<Task>& waited) const;
  Counts CountsFor(int peer) const;

  const MeetingKey key_;
  const RunningMethod method_;
  const Members members_;
  const TreePlace tree_;
  Wire& wire_;
  const Options options_;
  const SendTo send_;

  std::atomic<bool> inside_ = false;  // a worker is at it

  // The worker's.
  std::deque<std::shared_ptr<Task>> groups_;  // unfinished
  std::vector<std::shared_ptr<Task>> pairs_;
  std::map<uint64_t, GroupMail> group_mail_;
  std::map<int, PairMail> pair_mail_;
  uint64_t groups_issued_ = 0;
  std::map<int, Counts> pairs_issued_;
  std::map<int, Packet> left_;       // by rank
  std::map<int, Packet> questions_;  // the latest, by rank

  mutable base::Mutex mutex_;
  std::vector<Arrived> inbox_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<base::Event> sleeper_ ABSL_GUARDED_BY(mutex_);  // the worker's
  std::vector<int> asking_ ABSL_GUARDED_BY(mutex_);               // ranks that wait for an answer
};

}  // namespace twinkle::collective

// Task: an operation that a rank has issued, until it has ended.
#pragma once

#include <absl/status/status.h>
#include <twinkle/tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/collective/packet.h"
#include "runtime/collective/record.h"

namespace twinkle::collective {

// The ranks of a communicator, as one of them sees them.
struct Members {
  int self = 0;
  std::vector<rpc::ProcessId> processes;  // in the order of ranks
  std::vector<uint64_t> machines;         // of each; 0: not known
  std::vector<int> ranks;                 // of the component

  int size() const { return static_cast<int>(processes.size()); }
};

// How a task's packets go out. Nothing blocks.
using SendTo = std::function<void(int rank, Packet packet)>;

// For one thread at a time. Goes on only in Advance; nothing in it waits.
class Task {
 public:
  enum class State : uint8_t { kIssued, kGathering, kAwaitingVerdict, kMoving, kDone };

  Task(Record record, uint64_t sequence, Tensor input)
      : record_(std::move(record)), sequence_(sequence), input_(std::move(input)) {}
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  // Goes as far as what has arrived allows. Whether it got further. A failure is for all ranks to know.
  virtual absl::Status Advance(bool* further) = 0;
  // REQUIRES: it is not done. Whoever it waits for.
  virtual std::vector<int> WaitsFor() const = 0;
  // Whether a rank that has issued so many has not issued what this one waits for.
  bool IsLackedBy(const Counts& theirs) const {
    if (record_.operation == Operation::kSend) return theirs.recvs <= sequence_;
    if (record_.operation == Operation::kRecv) return theirs.sends <= sequence_;
    return theirs.groups <= sequence_;
  }

  const Record& record() const { return record_; }
  uint64_t sequence() const { return sequence_; }
  State state() const { return state_; }
  bool done() const { return state_ == State::kDone; }
  // REQUIRES: done. Once.
  Tensor TakeResult() { return std::move(result_); }

 protected:
  void Reach(State state) { state_ = state; }

  const Record record_;
  const uint64_t sequence_;
  Tensor input_;   // contiguous
  Tensor result_;  // when it is done

 private:
  State state_ = State::kIssued;
};

}  // namespace twinkle::collective

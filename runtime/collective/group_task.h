// GroupTask: an operation of all ranks.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/collective/steps.h"
#include "runtime/collective/task.h"
#include "runtime/collective/tree.h"

namespace twinkle::collective {

// What has come for an operation, maybe before it was issued here.
struct GroupMail {
  std::map<int, Packet> ups;               // by child
  std::optional<Packet> down;              // the verdict
  std::map<int, std::deque<Bytes>> moved;  // by rank, in the order sent
};

// The ranks agree along the tree, and then move the data, if that has not come along:
//
//   issued ─► gathering ─► awaiting the verdict ─► moving ─► done
//                 └─ rank 0: judges ──────────────────┘      (a failed verdict ends it)
//
// Invariants, besides those of its schedule:
//  GO1 no data is sent before all ranks have issued the operation, and fit together;
//  GO2 its input is never written, and its output by nobody else: both may be read where they are, as long as anybody
//      holds them.
class GroupTask final : public Task {
 public:
  struct Options {
    int64_t carried_bytes = 8 << 10;  // of a rank's input, up to which it goes with the record
    int64_t chunk_bytes = 1 << 20;
  };
  // All outlive it. `mail` is filled by its owner.
  GroupTask(Record record, uint64_t sequence, Tensor input, const Members* members, const TreePlace* tree,
            GroupMail* mail, const SendTo* send, const Options& options)
      : Task(std::move(record), sequence, std::move(input)),
        members_(*members),
        tree_(*tree),
        mail_(*mail),
        send_(*send),
        options_(options) {}

  absl::Status Advance(bool* further) override;
  std::vector<int> WaitsFor() const override;

 private:
  absl::Status Gather(bool* further);
  // Of rank 0.
  Packet Judge(const Packet& all) const;
  absl::Status Reduced(const Packet& all, Packet* verdict) const;
  absl::Status Obey(const Packet& verdict);
  absl::Status FinishCarried(const Packet& verdict);
  absl::Status BeginMoving();
  absl::Status Move(bool* further);
  // False: what the step takes is not here yet.
  absl::StatusOr<bool> Do(const Step& step);
  absl::StatusOr<Bytes> Next(int rank, int64_t bytes);
  void FoldWith(const Step& step, const std::byte* elements);
  absl::Status MakeOutput();
  absl::Status SetResult();

  bool Brings() const;  // this rank's elements are needed by others
  Bytes InputBytes(int64_t from, int64_t count) const;

  const Members& members_;
  const TreePlace& tree_;
  GroupMail& mail_;
  const SendTo& send_;
  const Options options_;

  // While it moves.
  Work work_;
  std::vector<Step> steps_;
  size_t next_step_ = 0;
  std::shared_ptr<std::byte> output_;
  std::shared_ptr<std::byte> accumulator_;  // of one step; null: the output itself
};

}  // namespace twinkle::collective

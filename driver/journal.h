// What of a cluster's state outlives the driver's process.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace twinkle::driver {

// Something that happened to a node, a job or a component.
struct Record {
  enum class Kind {  // on disk: a number once given keeps its meaning
    kNodeJoined = 0,
    kNodeGone = 1,
    kJobSubmitted = 2,
    kJobPlaced = 3,
    kGroupEnded = 4,
    kJobEnded = 5,
    kComponentAdded = 6,
    kComponentRemoved = 7
  };
  Kind kind = Kind::kNodeJoined;
  uint64_t id = 0;     // of the node, job or component
  std::string detail;  // its name, or why
  bool operator==(const Record&) const = default;
};
// "node_joined", …
const char* NameOf(Record::Kind kind);
// "job 7 has ended: its program is gone", for people.
std::string TextOf(const Record& record);

// What a restarted driver takes over: numbers are never given twice, since processes of before may still be about.
struct Restored {
  uint64_t last_node = 0;
  uint64_t last_job = 0;
  uint64_t last_component = 0;
  std::vector<uint64_t> open_jobs;  // that had not ended when the driver did
};

// For one thread.
class Journal {
 public:
  virtual ~Journal() = default;
  // All of them, or none; when this returns OK they outlive the process and the machine's power. Blocks for the disk.
  // ResourceExhausted: the disk is full; Unavailable: it fails, or the journal was removed or replaced underneath. Both
  // name the folder, and may pass: the next Append tries again.
  virtual absl::Status Append(const std::vector<Record>& records, int64_t unix_ms) = 0;
  // Unavailable, DataLoss: they cannot be read.
  virtual absl::StatusOr<Restored> Restore() = 0;
  // The last ones, oldest first.
  virtual absl::StatusOr<std::vector<Record>> Last(size_t most) = 0;
};

// Forgets with the process.
std::unique_ptr<Journal> NewMemoryJournal();

struct SqliteJournalOptions {
  // Of older records only those that Restore needs are kept.
  int64_t kept = 10'000;
};

// In journal.sqlite in that folder, which is made; for this user's eyes only. FailedPrecondition: another driver uses
// it, or it is of another version. DataLoss: it is no journal. Unavailable: it cannot be made or written.
absl::StatusOr<std::unique_ptr<Journal>> OpenSqliteJournal(const std::string& folder,
                                                           SqliteJournalOptions options = {});

}  // namespace twinkle::driver

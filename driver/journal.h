// The journal: the part of a cluster's state that outlives the driver's process.
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
// A kind's name: "node_joined", …
const char* NameOf(Record::Kind kind);
// A record as text: "job 7 has ended: its program is gone".
std::string TextOf(const Record& record);

// What a restarted driver takes over. A number is never given twice, since processes with earlier numbers may still
// run.
struct Restored {
  uint64_t last_node = 0;
  uint64_t last_job = 0;
  uint64_t last_component = 0;
  std::vector<uint64_t> open_jobs;  // jobs that had not ended when the driver did
};

// A list of records that grows. For one thread at a time.
class Journal {
 public:
  virtual ~Journal() = default;
  // Appends all records, or none. After OK they outlive the process and a loss of power. Blocks for the disk.
  // ResourceExhausted: the disk is full; Unavailable: the disk fails, or the journal was removed or replaced. Both
  // errors name the folder, and may pass: the next Append tries again.
  virtual absl::Status Append(const std::vector<Record>& records, int64_t unix_ms) = 0;
  // What the records say that a restarted driver must know. Unavailable, DataLoss: the records cannot be read.
  virtual absl::StatusOr<Restored> Restore() = 0;
  // The last `most` records, oldest first. Errors as Restore.
  virtual absl::StatusOr<std::vector<Record>> Last(size_t most) = 0;
};

// A journal in memory, which ends with the process: for private clusters, and drivers without a state folder.
std::unique_ptr<Journal> NewMemoryJournal();

struct SqliteJournalOptions {
  // The number of records to keep, besides those that Restore needs.
  int64_t kept = 10'000;
};

// Opens the journal journal.sqlite in a folder, which is made if needed; only this user can read it.
// FailedPrecondition: another driver uses it, or it is of another version. DataLoss: it is no journal. Unavailable: it
// cannot be made or written.
absl::StatusOr<std::unique_ptr<Journal>> OpenSqliteJournal(const std::string& folder,
                                                           SqliteJournalOptions options = {});

}  // namespace twinkle::driver

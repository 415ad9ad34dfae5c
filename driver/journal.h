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
  enum class Kind {
    kNodeJoined,
    kNodeGone,
    kJobSubmitted,
    kJobPlaced,
    kGroupEnded,
    kJobEnded,
    kComponentAdded,
    kComponentRemoved
  };
  Kind kind = Kind::kNodeJoined;
  uint64_t id = 0;     // of the node, job or component
  std::string detail;  // its name, or why
  bool operator==(const Record&) const = default;
};
// "node_joined", …
const char* NameOf(Record::Kind kind);

// What a restarted driver takes over: numbers are never given twice, since processes of before may still be about.
struct Restored {
  uint64_t last_node = 0;
  uint64_t last_job = 0;
  uint64_t last_component = 0;
  std::vector<uint64_t> open_jobs;  // neither ended nor refused when the driver did
};

// For one thread.
class Journal {
 public:
  virtual ~Journal() = default;
  // All of them, or none; they are kept when this returns. Internal: they could not be written.
  virtual absl::Status Append(const std::vector<Record>& records, int64_t unix_ms) = 0;
  virtual absl::StatusOr<Restored> Restore() = 0;
  // The last ones, oldest first.
  virtual absl::StatusOr<std::vector<Record>> Last(size_t most) = 0;
};

// Forgets with the process.
std::unique_ptr<Journal> NewMemoryJournal();
// In journal.sqlite in that folder, which is made. FailedPrecondition: another driver uses it, or it is of another
// version.
absl::StatusOr<std::unique_ptr<Journal>> OpenSqliteJournal(const std::string& folder);

}  // namespace twinkle::driver

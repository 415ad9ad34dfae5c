// Copies of programs that were brought from other nodes.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "runtime/base/fd.h"
#include "runtime/base/mutex.h"

namespace twinkle::worker {

// Copies of programs in memory files, by digest. Their content is verified, they leave nothing on disk, and they are
// dropped when nobody uses them, except for the last one. Thread-safe. Invariants:
//  PR1 a copy is given out only after its digest was verified;
//  PR2 one caller at a time brings a digest, and the others wait for it;
//  PR3 of the copies that no job uses, the one used last is kept, for the next run of the same program.
class ProgramCopies {
 public:
  using Copy = std::shared_ptr<const base::Fd>;
  // Writes the program's file into a descriptor; blocks.
  using Bring = std::function<absl::Status(int to)>;

  // The copy with a SHA-256. The caller uses it for as long as it holds it. Blocks while the copy is brought. Errors:
  // those of `bring`; DataLoss: what came has another digest.
  absl::StatusOr<Copy> Get(const std::string& digest, const Bring& bring);
  // Drops copies that are not used. To be called when a user has let go of a copy.
  void DropUnused();
  // The number of copies that are kept, in use or not.
  size_t size() const;

 private:
  struct Entry {
    Copy copy;  // null: it is being brought
    uint64_t used = 0;
  };
  void DropUnusedLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable base::Mutex mutex_;
  base::CondVar changed_;
  uint64_t uses_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, Entry> copies_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::worker

// Programs that were brought from other nodes.
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

// Memory files by digest: they are checked, leave nothing behind, and go when nobody uses them, but for the last.
// Thread-safe. Invariants:
//  P1 a copy is given out only after its digest was found right;
//  P2 one caller brings a digest at a time, the others wait for it;
//  P3 of copies that no job uses the one used last is kept, for the next run of the same program.
class ProgramCopies {
 public:
  using Copy = std::shared_ptr<const base::Fd>;
  // Writes the file into that descriptor; blocks.
  using Bring = std::function<absl::Status(int to)>;

  // The copy with that SHA-256; the caller uses it as long as it holds it. Blocks while it is brought. What `bring`
  // says when it fails; DataLoss: what came is another file.
  absl::StatusOr<Copy> Get(const std::string& digest, const Bring& bring);
  // To be called when a user has let go of a copy.
  void DropUnused();
  // How many are kept, in use or not.
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

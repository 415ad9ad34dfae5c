#include "worker/program_copies.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <iterator>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/rpc/file_digest.h"

namespace twinkle::worker {
namespace {

absl::StatusOr<ProgramCopies::Copy> BringCopy(const std::string& expected, const ProgramCopies::Bring& bring) {
  const base::Fd file(::memfd_create("twinkle-program", MFD_CLOEXEC));
  if (!file.valid()) return absl::ErrnoToStatus(errno, "a memory file");
  TWINKLE_RETURN_IF_ERROR(bring(file.get()));
  TWINKLE_ASSIGN_OR_RETURN(const std::string digest, rpc::FileDigest(file.get()));
  if (digest != expected) return absl::DataLossError("what came is another file");
  // Opens the copy anew for reading only: a file that is open for writing cannot be executed.
  base::Fd closed(::open(absl::StrCat("/proc/self/fd/", file.get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!closed.valid()) return absl::ErrnoToStatus(errno, "a copy");
  return std::make_shared<const base::Fd>(std::move(closed));
}

}  // namespace

absl::StatusOr<ProgramCopies::Copy> ProgramCopies::Get(const std::string& digest, const Bring& bring) {
  {
    base::MutexLock lock(&mutex_);
    while (true) {
      const auto found = copies_.find(digest);
      if (found == copies_.end()) break;
      found->second.used = ++uses_;
      if (found->second.copy != nullptr) return found->second.copy;
      changed_.Wait(&mutex_);
    }
    copies_[digest] = {nullptr, ++uses_};
  }
  absl::StatusOr<Copy> copy = BringCopy(digest, bring);
  base::MutexLock lock(&mutex_);
  if (copy.ok()) {
    copies_[digest].copy = *copy;
  } else {
    copies_.erase(digest);  // callers that wait now try to bring it themselves
  }
  DropUnusedLocked();
  changed_.SignalAll();
  return copy;
}

void ProgramCopies::DropUnused() {
  base::MutexLock lock(&mutex_);
  DropUnusedLocked();
}

void ProgramCopies::DropUnusedLocked() {
  uint64_t last = 0;
  const auto unused = [](const Entry& entry) { return entry.copy != nullptr && entry.copy.use_count() == 1; };
  for (const auto& [digest, entry] : copies_) {
    if (unused(entry) && entry.used > last) last = entry.used;
  }
  for (auto entry = copies_.begin(); entry != copies_.end();) {
    const bool goes = unused(entry->second) && entry->second.used != last;
    entry = goes ? copies_.erase(entry) : std::next(entry);
  }
}

size_t ProgramCopies::size() const {
  base::MutexLock lock(&mutex_);
  return copies_.size();
}

}  // namespace twinkle::worker
